/* SPDX-License-Identifier: Apache-2.0 */
// What every interop case needs: checks that end the program, connections that wait long enough for
// a sanitizer build, and a counter that callbacks raise and a case waits for. See ../README.md.
#pragma once

#include <nats/nats.h>

#include <stdbool.h>
#include <stdint.h>

enum { WAIT_MS = 60000 }; // how long to wait for anything the server must do

/// What the command line asked for.
struct target {
    const char *url;
    char **settings; // the words NAME=VALUE; ends with NULL
};

/** The value of a setting; NULL unless the command line has it. */
const char *setting(const struct target *target, const char *name);

/** Ends the program with exit code 1 and the reason on stderr unless `is_true`. */
void check(bool is_true, const char *what, const char *file, int line);
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

/** Ends the program with the library's own words unless `status` is `wanted`. */
void check_status(natsStatus status, natsStatus wanted, const char *what, const char *file,
                  int line);
#define OK(call) check_status((call), NATS_OK, #call, __FILE__, __LINE__)
#define FAILS_WITH(wanted, call) check_status((call), (wanted), #call, __FILE__, __LINE__)

/** Options for `target`: address, login, TLS and deadline. Freed with natsOptions_Destroy. */
natsOptions *target_options(const struct target *target);

/** natsConnection_Connect, which makes good for what the library does wrong. */
natsStatus open_connection(natsConnection **nc, natsOptions *opts);

/** A connection to `target`. Freed with natsConnection_Destroy. */
natsConnection *connect_to(const struct target *target);

/** A synchronous subscription that the server has confirmed. */
natsSubscription *subscribe_sync(natsConnection *nc, const char *subject, const char *queue);

/** The next message; owned by the caller. */
natsMsg *next_msg(natsSubscription *sub);

/** Takes the next message and checks its payload. */
void expect_text(natsSubscription *sub, const char *text);

/** Checks that the server has sent nothing but what was taken already. */
void expect_nothing(natsConnection *nc, natsSubscription *sub);

/** Sends everything buffered and waits for the server's answer. */
void flush(natsConnection *nc);

/** Tells the test that it may now restart or signal the server. */
void say_ready(void);

/** Whether the test has closed this program's standard input. Does not wait. */
bool input_ended(void);

/// A number raised by callbacks of library threads.
struct counter;
struct counter *counter_new(void);
void counter_free(struct counter *counter);
void counter_add(struct counter *counter);
int counter_get(struct counter *counter);
/** Waits until the counter is at least `wanted`; ends the program after WAIT_MS. */
void counter_await(struct counter *counter, int wanted);
/** A connection callback that raises the `struct counter` in `closure`. */
void counter_on_event(natsConnection *nc, void *closure);

// The cases, messages.c
void case_pubsub(const struct target *target);
void case_wildcard(const struct target *target);
void case_queue(const struct target *target);
void case_request(const struct target *target);
void case_headers(const struct target *target);
void case_no_responders(const struct target *target);
void case_auto_unsubscribe(const struct target *target);
void case_order(const struct target *target);
void case_large_payload(const struct target *target);

// The cases, lifecycle.c
void case_connect(const struct target *target);
void case_flush_rtt(const struct target *target);
void case_drain_subscription(const struct target *target);
void case_drain_connection(const struct target *target);
void case_reconnect(const struct target *target);
void case_lame_duck(const struct target *target);

// The cases, security.c
void case_login(const struct target *target);
void case_login_refused(const struct target *target);
void case_tls_refused(const struct target *target);
void case_permissions(const struct target *target);
void case_accounts(const struct target *target);
void case_reload(const struct target *target);
