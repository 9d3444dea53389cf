// Bun's own websocket publish/subscribe, speaking what the load tool sends.
//
// It parses JSON as an application does, and looks for no credentials.
// The id of a binding is part of the frame, so a topic is a status and an id: clients that number alike share one, others have one each.
// What happens to a client that does not read is as it comes: up to 16 MB wait for it, and what is beyond is dropped.

/** By status: the topic of each id that was bound, and the last notify from behind its id. */
const statuses = new Map();

const meta = (name) => JSON.stringify({ sys: "sys-1", mod: "Load", index: 1, name });

function bind(socket, id, name) {
  let status = statuses.get(name);
  if (!status) {
    status = { topics: new Map(), last: undefined };
    statuses.set(name, status);
  }
  let topic = status.topics.get(id);
  if (!topic) {
    topic = `${name}/${id}`;
    status.topics.set(id, topic);
  }
  socket.subscribe(topic);
  socket.send(`{"id":${id},"type":"success","meta":${meta(name)}}`);
  if (status.last) socket.send(`{"id":${id}${status.last}`);
}

function publish(name, value) {
  const status = statuses.get(name);
  if (!status) return;
  status.last = `,"type":"notify","value":${JSON.stringify(value)},"meta":${meta(name)}}`;
  for (const [id, topic] of status.topics) {
    const sent = server.publish(topic, `{"id":${id}${status.last}`);
    // Connections that close take their topics with them; the id goes here.
    if (sent === 0 && server.subscriberCount(topic) === 0) status.topics.delete(id);
  }
}

function answer(socket, id, value) {
  socket.send(`{"id":${id},"type":"success","value":${JSON.stringify(value)},"meta":${meta("echo")},"code":200}`);
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    if (!server.upgrade(request)) return new Response("a websocket is spoken here", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    message(socket, text) {
      const { id, cmd, name, args } = JSON.parse(text);
      if (cmd === "bind") {
        bind(socket, id, name);
      } else if (name === "set") {
        publish(args[0], args[1]);
        answer(socket, id, null);
      } else {
        answer(socket, id, args[0]);
      }
    },
  },
});

console.log(`bun ready http://127.0.0.1:${server.port}`);
