// SPDX-License-Identifier: Apache-2.0

// Runs one interop case with the official JavaScript client: node main.js CASE URL [USER PASSWORD | TOKEN].
// Exit code 0 means that the case passed. See ../README.md.

import * as lifecycle from "./lifecycle.js";
import * as messages from "./messages.js";

const cases = { ...lifecycle.cases, ...messages.cases };

const [name, url, ...login] = process.argv.slice(2);
if (!url || login.length > 2 || !Object.hasOwn(cases, name)) {
  console.error("usage: node main.js CASE URL [USER PASSWORD | TOKEN]");
  process.exit(2);
}
const options = { servers: url };
if (login.length === 1) {
  options.token = login[0];
} else if (login.length === 2) {
  [options.user, options.pass] = login;
}

try {
  await cases[name](options);
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
