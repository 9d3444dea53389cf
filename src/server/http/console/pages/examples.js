// Frames of each dialect to begin with. The rooms are those of the demo building.

/** What is replaced by the token or the key of who looks when it is sent. */
export const TOKEN = "{{token}}";

const frame = (value) => JSON.stringify(value);
const at = { sys: "sys-board", mod: "Display", index: 1 };

const action = (name, args = {}) => [name, frame({ type: "request", id: name, action: name, args })];

/** What Platypush can be asked to do in the demo building. */
const ACTIONS = [
  action("gateway.systems"),
  action("board_room.display_1.status"),
  action("board_room.display_1.power", { state: true }),
  action("procedure.welcome", { who: "Ann" }),
];

/**
 * @typedef {object} Example
 * @property {string} name
 * @property {string} path behind the base path
 * @property {string} about
 * @property {string} [contentType] of a request; without one it is a websocket
 * @property {string} [credential] the header of a request that says who sends it
 * @property {[string, string][]} frames each with a name
 */

/** @type {Record<string, Example>} */
export const EXAMPLES = {
  placeos: {
    name: "PlaceOS",
    path: "api/engine/v2/systems/control",
    about: "Your credentials go along when it connects.",
    frames: [
      ["bind", frame({ id: 1, cmd: "bind", ...at, name: "power" })],
      ["exec", frame({ id: 2, cmd: "exec", ...at, name: "power", args: [true] })],
      ["unbind", frame({ id: 3, cmd: "unbind", ...at, name: "power" })],
      ["debug", frame({ id: 4, cmd: "debug", sys: "sys-board", mod: "mod-board-display", index: 1, name: "debug" })],
      ["ping", "ping"],
    ],
  },
  home_assistant: {
    name: "Home Assistant",
    path: "api/websocket",
    about: `Send auth first. ${TOKEN} becomes your own token or key when the frame is sent.`,
    frames: [
      ["auth", frame({ type: "auth", access_token: TOKEN })],
      ["states", frame({ id: 1, type: "get_states" })],
      ["follow", frame({ id: 2, type: "subscribe_events", event_type: "state_changed" })],
      ["ping", frame({ id: 3, type: "ping" })],
    ],
  },
  pusher: {
    name: "Pusher",
    path: "app/KEY?protocol=7",
    about: "Put the key of one of your apps into the path.",
    frames: [
      ["subscribe", frame({ event: "pusher:subscribe", data: { channel: "lobby" } })],
      ["unsubscribe", frame({ event: "pusher:unsubscribe", data: { channel: "lobby" } })],
      ["ping", frame({ event: "pusher:ping", data: {} })],
    ],
  },
  pushjet: {
    name: "Pushjet",
    path: "pushjet/ws",
    about: "The first frame is the UUID of a device.",
    frames: [["listen", "00000000-0000-4000-8000-000000000000"]],
  },
  pushjet_message: {
    name: "Pushjet: send a message",
    path: "pushjet/message",
    about: "What a service sends goes to all who follow it. The secret is that of the demo's own service.",
    contentType: "application/x-www-form-urlencoded",
    frames: [["message", "secret=FrontDeskFrontDeskFrontDeskFront&title=Front+desk&message=The+taxi+waits&level=3"]],
  },
  platypush_execute: {
    name: "Platypush: execute",
    path: "execute",
    about: "One action a request, with your credentials.",
    contentType: "application/json",
    credential: "X-Token",
    frames: ACTIONS,
  },
  platypush_requests: {
    name: "Platypush: requests",
    path: `ws/requests?token=${TOKEN}`,
    about: `The same over a websocket. ${TOKEN} becomes your own token or key in the address, where a proxy may write it down.`,
    frames: ACTIONS,
  },
  platypush_events: {
    name: "Platypush: events",
    path: `ws/events?token=${TOKEN}`,
    about: "Whatever is announced and every status that changes come by themselves; what you send is announced.",
    frames: [["announce", frame({ type: "event", args: { type: "platypush.message.event.custom.CustomEvent", subtype: "doors", who: "Ann" } })]],
  },
};
