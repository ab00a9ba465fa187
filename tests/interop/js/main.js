// SPDX-License-Identifier: Apache-2.0

// Runs one interop case with the official JavaScript client: node main.js CASE URL [NAME=VALUE]…
// Exit code 0 means that the case passed. See ../README.md.

import * as lifecycle from "./lifecycle.js";
import * as messages from "./messages.js";
import * as security from "./security.js";
import { settingsOptions } from "./support.js";

const cases = { ...lifecycle.cases, ...messages.cases, ...security.cases };

const [name, url, ...words] = process.argv.slice(2);
if (!url || !Object.hasOwn(cases, name)) {
  console.error("usage: node main.js CASE URL [NAME=VALUE]…");
  process.exit(2);
}
const settings = Object.fromEntries(words.map((word) => word.split(/=(.*)/s, 2)));

try {
  await cases[name]({ servers: url, ...settingsOptions(settings) }, settings);
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
