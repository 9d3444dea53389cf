// Frames of each dialect to begin with. The rooms are those of the demo building.

/** What is replaced by the token or the key of who looks when a frame is sent. */
export const TOKEN = "{{token}}";

const frame = (value) => JSON.stringify(value);
const at = { sys: "sys-board", mod: "Display", index: 1 };

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
};
