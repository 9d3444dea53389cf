// uWebSockets on its own publish/subscribe, speaking what the load tool sends: the fastest peer.
//
// Like the yardstick it looks for no credentials and cuts the JSON at the places where the generator puts things.
// The id of a binding is part of the frame, so a topic is a status and an id: clients that number alike share one, others have one each.
// Compression is off and everything else is as it comes, above all what happens to a client that does not read:
// past 64 kB of backlog its messages are dropped and the connection stays.

#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_map>

#include "App.h"

using namespace std::string_view_literals;

namespace {

// The default of 16 kB would close the connection that publishes values of that size.
constexpr unsigned REQUEST_MAX_BYTES = 1024 * 1024;

constexpr auto META = R"(,"meta":{"sys":"sys-1","mod":"Load","index":1,"name":")"sv;

struct Connection {};

using Socket = uWS::WebSocket<false, true, Connection>;

struct Status {
    // The topic of each id that was bound.
    std::unordered_map<std::string, std::string> topics;
    // A notify from behind its id; empty until there is a value.
    std::string last;
};

std::unordered_map<std::string, Status> statuses;

std::string join(std::initializer_list<std::string_view> parts) {
    size_t length = 0;
    for (auto part : parts) {
        length += part.size();
    }
    std::string whole;
    whole.reserve(length);
    for (auto part : parts) {
        whole += part;
    }
    return whole;
}

// What stands between two texts; empty when either is missing.
std::string_view between(std::string_view text, std::string_view before, std::string_view behind) {
    auto start = text.find(before);
    if (start == text.npos) {
        return {};
    }
    start += before.size();
    auto end = text.find(behind, start);
    return end == text.npos ? std::string_view{} : text.substr(start, end - start);
}

void bind(Socket *socket, std::string_view id, std::string_view name) {
    auto &status = statuses[std::string(name)];
    auto &topic = status.topics[std::string(id)];
    if (topic.empty()) {
        topic = join({name, "/"sv, id});
    }
    socket->subscribe(topic);
    socket->send(join({R"({"id":)"sv, id, R"(,"type":"success")"sv, META, name, R"("}})"sv}), uWS::TEXT);
    if (!status.last.empty()) {
        socket->send(join({R"({"id":)"sv, id, status.last}), uWS::TEXT);
    }
}

void publish(uWS::App &app, std::string_view name, std::string_view value) {
    auto found = statuses.find(std::string(name));
    if (found == statuses.end()) {
        return;
    }
    auto &status = found->second;
    status.last = join({R"(,"type":"notify","value":)"sv, value, META, name, R"("}})"sv});
    for (auto entry = status.topics.begin(); entry != status.topics.end();) {
        auto &[id, topic] = *entry;
        bool followed = app.publish(topic, join({R"({"id":)"sv, id, status.last}), uWS::TEXT);
        // Connections that close take their topics with them; the id goes here.
        entry = followed ? std::next(entry) : status.topics.erase(entry);
    }
}

void answer(Socket *socket, std::string_view id, std::string_view value) {
    socket->send(join({R"({"id":)"sv, id, R"(,"type":"success","value":)"sv, value, META, R"(echo"},"code":200})"sv}), uWS::TEXT);
}

void act(uWS::App &app, Socket *socket, std::string_view text) {
    auto id = between(text, R"({"id":)"sv, ","sv);
    auto name = between(text, R"("name":")"sv, "\""sv);
    if (id.empty() || name.empty()) {
        return;
    }
    if (text.find(R"("cmd":"exec")"sv) == text.npos) {
        return bind(socket, id, name);
    }
    auto start = text.find(R"("args":[)"sv);
    if (start == text.npos || !text.ends_with("]}"sv)) {
        return;
    }
    auto arguments = text.substr(start + 8, text.size() - start - 10);
    if (name != "set"sv) {
        return answer(socket, id, arguments);
    }
    auto comma = arguments.find(',');
    if (comma != arguments.npos && comma >= 2) {
        publish(app, arguments.substr(1, comma - 2), arguments.substr(comma + 1));
        answer(socket, id, "null"sv);
    }
}

} // namespace

int main() {
    uWS::App app;
    uWS::App::WebSocketBehavior<Connection> behavior;
    behavior.compression = uWS::DISABLED;
    behavior.maxPayloadLength = REQUEST_MAX_BYTES;
    behavior.message = [&app](Socket *socket, std::string_view text, uWS::OpCode) { act(app, socket, text); };
    app.ws<Connection>("/*", std::move(behavior));
    app.listen("127.0.0.1", 0, [](us_listen_socket_t *listener) {
        if (listener) {
            std::printf("uws ready http://127.0.0.1:%d\n", us_socket_local_port(0, reinterpret_cast<us_socket_t *>(listener)));
            std::fflush(stdout);
        }
    });
    app.run();
}
