// SPDX-License-Identifier: Apache-2.0

// What every case needs: connections that wait long enough for a sanitizer build, and inboxes to take messages from.

import assert from "node:assert/strict";
import { connect, errors, nkeyAuthenticator } from "@nats-io/transport-node";

const WAIT_MS = 60_000; // how long to wait for anything the server must do

/** The client's options for login and TLS. */
export function settingsOptions({ user, pass, token, seed, ca, cert, key, handshake_first: handshakeFirst }) {
  const options = { user, pass, token };
  if (seed !== undefined) {
    options.authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
  }
  if (ca !== undefined) {
    options.tls = { caFile: ca, certFile: cert, keyFile: key, handshakeFirst: handshakeFirst === "true" };
  }
  return options;
}

/** A connection; `options` are those of the command line, with more for this connection. */
export function dial(options) {
  return connect({ name: "interop-js", timeout: WAIT_MS, ...options });
}

/** The result of `promise`, or an error after WAIT_MS. */
export async function within(promise, what) {
  let timer;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`timeout: ${what}`)), WAIT_MS);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a request and returns the answer. */
export function request(nc, subject, payload) {
  return nc.request(subject, payload, { timeout: WAIT_MS });
}

/** Checks that the server knows of no subscription to the subject. */
export async function expectNoInterest(nc, subject) {
  await assert.rejects(request(nc, subject, "anybody?"), (error) => {
    assert.ok(error instanceof errors.RequestError, String(error));
    assert.ok(error.isNoResponders(), String(error));
    return true;
  });
}

/** The first status event of that type, as a promise; call it before what causes the event. */
export async function statusEvent(nc, type) {
  for await (const status of nc.status()) {
    if (status.type === type) {
      return status;
    }
  }
  throw new Error(`connection closed before status ${type}`);
}

/** Tells the test that it may now restart or signal the server. */
export function sayReady() {
  console.log("ready");
}

/** A subscription that the server has confirmed, with the messages not taken yet. */
export class Inbox {
  static async open(nc, subject, options = {}) {
    const inbox = new Inbox(nc, subject, options);
    await nc.flush();
    return inbox;
  }

  constructor(nc, subject, options) {
    this.nc = nc;
    this.sub = nc.subscribe(subject, options);
    this.messages = this.sub[Symbol.asyncIterator]();
    this.nTaken = 0;
  }

  /** How many messages arrived and were not taken. */
  get pending() {
    return this.sub.getReceived() - this.nTaken;
  }

  async next() {
    const { value, done } = await within(this.messages.next(), `a message on ${this.sub.getSubject()}`);
    assert.ok(!done, "subscription ended");
    this.nTaken++;
    return value;
  }

  async expectText(text) {
    assert.equal((await this.next()).string(), text);
  }

  /** Checks that the server has sent nothing but what was taken already. */
  async expectNothing() {
    await this.nc.flush();
    assert.equal(this.pending, 0);
  }
}
