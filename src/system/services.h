/* SPDX-License-Identifier: Apache-2.0 */
/* The services of the system account that control provides (spec 06 §6.4 to §6.6). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct doc;
struct request;
struct system;

/** Where a service is found; a mask. */
#define SERVICE_HERE 0x1u       // $SYS.REQ.SERVER.{id}.X
#define SERVICE_EVERYWHERE 0x2u // $SYS.REQ.SERVER.PING.X: every server answers
#define SERVICE_ACCOUNT 0x4u    // $SYS.REQ.ACCOUNT.{account}.X
#define SERVICE_PLAIN 0x8u      // $SYS.REQ.X

struct service {
    const char *name; // X
    unsigned where;
    bool overtakes;          // is answered at once, even while another one is being answered
    bool acts_without_reply; // others do nothing if nobody waits for an answer
    /** Answer; ends the request now or later (system/request.h). Thread: control. */
    void (*serve)(struct request *r);
    /* Of those that serve a document: */
    const struct doc *doc;
    const char *account_option; // of an account: what names it in the options of the document
    const char *options;        // further members of these, as JSON; NULL: none
    const char *member;         // only this one of the document is told; NULL: all
};

/** Make the list of all. @return  n of them, owned by the caller. Thread: control. */
struct service *services_new(size_t *n);

/** Subscribe to the subjects of a service. Thread: control, before the workers run. */
void service_open(struct system *s, const struct service *service);

/** Answer with a document. */
void serve_doc(struct request *r);

/** Answer with STATSZ, or tell everybody if there is no reply. */
void serve_statsz(struct request *r);

/* Of an account. */

/** CONNS, as the event. */
void serve_conns(struct request *r);

/** STATZ: what passes through it; asked of PING, of all accounts. */
void serve_statz(struct request *r);

/** JSZ: what it stores. */
void serve_account_jsz(struct request *r);

/** NSUBS: how many of its clients subscribe to something. */
void serve_nsubs(struct request *r);

/** CLAIMS.UPDATE: another JWT for the account, which is refused: accounts are those that are
 * configured. */
void serve_claims_update(struct request *r);

/* What is done to the server and its clients. */

/** KICK: close a client. */
void serve_kick(struct request *r);

/** LDM: ask a client to go elsewhere. */
void serve_ldm(struct request *r);

/** RELOAD: read the configuration again. */
void serve_reload(struct request *r);
