// SPDX-License-Identifier: Apache-2.0

// Cases about who is let in, by login and by certificate, and about what one is allowed then.

import assert from "node:assert/strict";
import { errors } from "@nats-io/transport-node";
import { dial, expectNoInterest, Inbox, sayReady, within } from "./support.js";

async function login(options) {
  const nc = await dial(options);
  const inbox = await Inbox.open(nc, "private");
  nc.publish("private", "secret");
  await inbox.expectText("secret");
}

async function loginRefused(options) {
  await assert.rejects(dial({ ...options, reconnect: false }), (error) => {
    assert.ok(error instanceof errors.AuthorizationError, String(error));
    return true;
  });
}

async function tlsRefused(options) {
  await assert.rejects(dial({ ...options, reconnect: false }), (error) => {
    assert.ok(!(error instanceof errors.AuthorizationError || error instanceof errors.TimeoutError), String(error));
    return true;
  });
}

async function permissions(options) {
  const nc = await dial({ ...options, reconnect: false });
  const events = nc.status()[Symbol.asyncIterator]();
  const expectViolation = async (operation, subject, queue) => {
    const { value: { type, error } } = await within(events.next(), `violation of ${subject}`);
    assert.equal(type, "error");
    assert.ok(error instanceof errors.PermissionViolationError, String(error));
    assert.deepEqual([error.operation, error.subject, error.queue], [operation, subject, queue]);
  };

  nc.publish("secret.a", "x");
  await expectViolation("publish", "secret.a");
  const plain = nc.subscribe("secret.b");
  await expectViolation("subscription", "secret.b");
  const readers = nc.subscribe("secret.c", { queue: "readers" });
  await expectViolation("subscription", "secret.c", "readers");
  for (const sub of [plain, readers]) {
    assert.ok(await within(sub.closed, "subscription closed") instanceof errors.PermissionViolationError);
  }

  const allowed = await Inbox.open(nc, "open");
  nc.publish("open", "x");
  await allowed.expectText("x");
  await allowed.expectNothing();
}

async function accounts(options, { user2: user, pass2: pass }) {
  const ncs = [await dial(options), await dial({ ...options, user, pass })];
  const plain = [];
  const readers = [];
  for (const nc of ncs) {
    plain.push(await Inbox.open(nc, "news.*"));
    readers.push(await Inbox.open(nc, "news.today", { queue: "readers" }));
  }
  for (const i of [0, 1]) {
    ncs[i].publish("news.today", "ours");
    await ncs[i].flush();
    await plain[i].expectText("ours");
    await readers[i].expectText("ours");
    await plain[1 - i].expectNothing();
    await readers[1 - i].expectNothing();
  }
  const service = await Inbox.open(ncs[0], "service");
  await expectNoInterest(ncs[1], "service");
  await service.expectNothing();
}

async function reload(options) {
  const nBatch = 10;
  const nc = await dial({ ...options, reconnect: false });
  const noticed = [];
  (async () => {
    for await (const status of nc.status()) {
      noticed.push(status);
    }
  })();
  const inbox = await Inbox.open(nc, "tick");
  let ended = false;
  process.stdin.on("end", () => ended = true).resume();
  sayReady();
  for (let n = 0; !ended; n += nBatch) {
    for (let i = 0; i < nBatch; i++) {
      nc.publish("tick", String(n + i));
    }
    for (let i = 0; i < nBatch; i++) {
      await inbox.expectText(String(n + i));
    }
  }
  await inbox.expectNothing();
  assert.deepEqual(noticed, []);
}

export const cases = {
  login,
  login_refused: loginRefused,
  tls_refused: tlsRefused,
  permissions,
  accounts,
  reload,
};
