/* SPDX-License-Identifier: Apache-2.0 */
/* What the system account may do to the server and its clients (spec 06 §6.6). Success is answered
 * with nothing but the server's block. */
#include "base/attr.h"
#include "base/json_field.h"
#include "monitor/conn_action.h"
#include "system/request.h"
#include "system/services.h"
#include "system/system.h"

static void finish(struct request *r, struct str error)
{
    if (error.n) {
        request_fail(r, 500, error, false);
    } else {
        request_answer(r, (struct str){0});
    }
}

/* The connection that a request names. @return  false: it names none, or is not meant for this
 * server, and has ended */
static bool read_cid(struct request *r, uint64_t *cid)
{
    static const struct json_field fields[] = {{.name = "cid", .kind = JSON_FIELD_UINT}};
    struct buf why = {0};
    bool is_ok = json_field_read_text(r->payload, fields, ARRAY_SIZE(fields), cid, &why);

    buf_deinit(&why);
    if (!is_ok) {
        request_drop(r);
    }
    return is_ok && request_is_meant(r);
}

static void on_kicked(void *arg, enum conn_action_result result)
{
    finish(arg,
           result == CONN_ACTION_DONE ? (struct str){0} : STR("no such client or leafnode id"));
}

void serve_kick(struct request *r)
{
    uint64_t cid = 0;

    if (read_cid(r, &cid)) {
        conn_action_kick(r->system->monitor, cid, on_kicked, r);
    }
}

static void on_announced(void *arg, enum conn_action_result result)
{
    static const struct str errors[] = {
        [CONN_ACTION_DONE] = {0},
        [CONN_ACTION_NOBODY] = STR_INIT("no such client id"),
        [CONN_ACTION_REFUSED] =
            STR_INIT("client does not support Lame Duck Mode or is not ready to "
                     "receive the notification"),
    };

    finish(arg, errors[result]);
}

void serve_ldm(struct request *r)
{
    uint64_t cid = 0;

    if (read_cid(r, &cid)) {
        conn_action_announce_lame_duck(r->system->monitor, cid, on_announced, r);
    }
}

static void on_reloaded(void *arg, struct str error)
{
    finish(arg, error);
}

void serve_reload(struct request *r)
{
    if (request_is_meant(r)) {
        system_reload(r->system, on_reloaded, r);
    }
}
