// Reads JSON without changing whole numbers that have more digits than a number of JavaScript.

/** Whether a text may have such a number. */
const LONG = /\d{16}/;

/**
 * @param {string} text
 * @returns {unknown} with such numbers as they stand there, which `JSON.stringify` writes as they came; older browsers round them
 */
export function parse(text) {
  return LONG.test(text) && JSON.rawJSON ? JSON.parse(text, kept) : JSON.parse(text);
}

function kept(_key, value, context) {
  const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(context?.source ?? "") ? JSON.rawJSON(context.source) : value;
}
