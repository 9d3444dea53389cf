// Moments in the browser's own fields, in the time zone of who looks.

/** What such a field is: to the second, as the gateway has them. */
export const MOMENT = { type: "datetime-local", step: "1" };

/** The Unix seconds of what stands in the field. */
export function toSeconds(text) {
  if (text === "") throw new Error("has to be chosen");
  return Math.round(new Date(text).getTime() / 1000);
}

/** The text of the field; an empty one where there is no moment. */
export function toLocal(seconds) {
  if (!seconds) return "";
  const time = new Date(seconds * 1000);
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}
