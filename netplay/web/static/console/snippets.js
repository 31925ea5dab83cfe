/** A message as it would be sent from elsewhere. */

/** Where features listen when nothing else was said. */
const PORTS = { chat: 8888, game: 5555, ticker: 9999 };

/** Without what is for one connection only. */
function bare({ feature, ref, ...message }) {
  return message;
}

/** In single quotes of a shell; what is inside means nothing to it. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** ASCII only, so that it survives every terminal, and directions are not turned. */
export const ascii = (text) =>
  text.replace(/[^\x20-\x7e\n]/gu, (char) =>
    [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );

/** Several lines, for reading. */
export const json = (message) => ascii(JSON.stringify(message, null, 2));

/** For a terminal, over TCP. */
export function nc(message, host) {
  const line = ascii(JSON.stringify(bare(message)));
  return `printf '%s\\n' ${quoted(line)} | nc -N ${host.replace(/^\[|\]$/g, "")} ${PORTS[message.feature]}`;
}

/** For a program in Python. */
export function python(message, origin) {
  const { type, ...fields } = bare(message);
  const words = Object.entries(fields).map(([name, value]) => `, ${name}=${pythonLiteral(value)}`);
  return [
    "from netplay.client.blocking import connect",
    "",
    `with connect("${origin.replace(/^http/, "ws")}/", "${message.feature}") as client:`,
    `    print(client.ask("${type}"${words.join("")}))`,
  ].join("\n");
}

/** For a web page. */
export function javascript(message, origin) {
  return [
    `import { connect } from "${origin}/netplay.js";`,
    "",
    `const ${message.feature} = connect().feature("${message.feature}");`,
    `console.log(await ${message.feature}.request(${ascii(JSON.stringify(bare(message)))}));`,
  ].join("\n");
}

const PYTHON = new Map([[null, "None"], [true, "True"], [false, "False"]]);

function pythonLiteral(value) {
  if (PYTHON.has(value)) return PYTHON.get(value);
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value !== "object") return typeof value === "string" ? pythonString(value) : JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${pythonString(key)}: ${pythonLiteral(inner)}`);
  return `{${pairs.join(", ")}}`;
}

/** Python knows no pairs of surrogates. */
const pythonString = (text) =>
  JSON.stringify(text).replace(/[^\x20-\x7e]/gu, (char) => `\\U${char.codePointAt(0).toString(16).padStart(8, "0")}`);
