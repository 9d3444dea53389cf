// Node.js with ws, the library most such gateways are written with, speaking what the load tool sends.
//
// It parses JSON as an application does, and looks for no credentials.
// ws has no publish/subscribe: a change is made a message once for each id, and sent in a plain loop over the clients that use it.
// What happens to a client that does not read is as it comes: everything waits for it in memory.

import { WebSocketServer } from "ws";

/** By status: the clients of each id that was bound, and the last notify from behind its id. */
const statuses = new Map();

/** What a connection has bound: the clients of the id, to be left when it closes. */
const places = Symbol("places");

const meta = (name) => JSON.stringify({ sys: "sys-1", mod: "Load", index: 1, name });

function bind(socket, id, name) {
  let status = statuses.get(name);
  if (!status) {
    status = { clients: new Map(), last: undefined };
    statuses.set(name, status);
  }
  let clients = status.clients.get(id);
  if (!clients) {
    clients = new Set();
    status.clients.set(id, clients);
  }
  clients.add(socket);
  socket[places].push([status, id]);
  socket.send(`{"id":${id},"type":"success","meta":${meta(name)}}`);
  if (status.last) socket.send(`{"id":${id}${status.last}`);
}

function leave(socket) {
  for (const [status, id] of socket[places]) {
    const clients = status.clients.get(id);
    clients?.delete(socket);
    if (clients?.size === 0) status.clients.delete(id);
  }
}

function publish(name, value) {
  const status = statuses.get(name);
  if (!status) return;
  status.last = `,"type":"notify","value":${JSON.stringify(value)},"meta":${meta(name)}}`;
  for (const [id, clients] of status.clients) {
    const message = Buffer.from(`{"id":${id}${status.last}`);
    for (const socket of clients) socket.send(message, { binary: false });
  }
}

function answer(socket, id, value) {
  socket.send(`{"id":${id},"type":"success","value":${JSON.stringify(value)},"meta":${meta("echo")},"code":200}`);
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });

server.on("connection", (socket) => {
  socket[places] = [];
  socket.on("message", (data) => {
    const { id, cmd, name, args } = JSON.parse(data);
    if (cmd === "bind") {
      bind(socket, id, name);
    } else if (name === "set") {
      publish(args[0], args[1]);
      answer(socket, id, null);
    } else {
      answer(socket, id, args[0]);
    }
  });
  socket.on("close", () => leave(socket));
  // A connection that is cut off is closed next, and that is all there is to do.
  socket.on("error", () => {});
});

server.on("listening", () => console.log(`node ready http://127.0.0.1:${server.address().port}`));
