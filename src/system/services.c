/* SPDX-License-Identifier: Apache-2.0 */
/* The list: a row for each service that is more than a document of the server; those follow from
 * monitor/docs.c. */
#include "system/services.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/mem.h"
#include "monitor/doc.h"
#include "monitor/docs.h"
#include "system/request.h"
#include "system/system.h"

static const struct service others[] = {
    {.name = "STATSZ",
     .where = SERVICE_HERE | SERVICE_EVERYWHERE,
     .serve = serve_statsz,
     .overtakes = true,
     .acts_without_reply = true},
    {.name = "SERVER.PING",
     .where = SERVICE_PLAIN,
     .serve = serve_statsz,
     .overtakes = true,
     .acts_without_reply = true},
    {.name = "KICK", .where = SERVICE_HERE, .serve = serve_kick},
    {.name = "LDM", .where = SERVICE_HERE, .serve = serve_ldm},
    {.name = "RELOAD", .where = SERVICE_HERE, .serve = serve_reload},
    {.name = "CONNS", .where = SERVICE_ACCOUNT, .serve = serve_conns},
    {.name = "STATZ", .where = SERVICE_ACCOUNT, .serve = serve_statz},
    {.name = "JSZ", .where = SERVICE_ACCOUNT, .serve = serve_account_jsz},
    {.name = "CLAIMS.UPDATE", .where = SERVICE_ACCOUNT, .serve = serve_claims_update},
    {.name = "ACCOUNT.NSUBS", .where = SERVICE_PLAIN, .serve = serve_nsubs},
};

/** Documents that are told of one account, too. */
static const struct account_doc {
    const char *name, *doc, *account_option, *options, *member;
} account_docs[] = {
    {"CONNZ", "CONNZ", "acc", NULL, NULL},
    {"SUBSZ", "SUBSZ", "account", "\"subscriptions\":true", NULL},
    {"LEAFZ", "LEAFZ", "account", NULL, NULL},
    {"INFO", "ACCOUNTZ", "account", NULL, "account_detail"},
};

struct service *services_new(size_t *n)
{
    struct service *list = mem_zalloc(
        (ARRAY_SIZE(others) + docs_count() + ARRAY_SIZE(account_docs)) * sizeof(list[0]));

    memcpy(list, others, sizeof(others));
    *n = ARRAY_SIZE(others);
    for (size_t i = 0; i < docs_count(); i++) {
        const struct doc *doc = docs_at(i);

        if (doc->name) {
            list[(*n)++] = (struct service){.name = doc->name,
                                            .where = SERVICE_HERE | SERVICE_EVERYWHERE,
                                            .serve = serve_doc,
                                            .doc = doc};
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(account_docs); i++) {
        const struct account_doc *a = &account_docs[i];

        list[(*n)++] = (struct service){.name = a->name,
                                        .where = SERVICE_ACCOUNT,
                                        .serve = serve_doc,
                                        .doc = docs_find_name(str_of(a->doc)),
                                        .account_option = a->account_option,
                                        .options = a->options,
                                        .member = a->member};
    }
    return list;
}

static void subscribe(struct system *s, const struct service *service, struct str scope)
{
    struct buf subject = {0};

    buf_printf(&subject, "$SYS.REQ.%.*s%s", STR_ARG(scope), service->name);
    system_add_sub(s, request_sub_new(s, service, buf_str(&subject)));
    buf_deinit(&subject);
}

void service_open(struct system *s, const struct service *service)
{
    struct buf here = {0};

    if (service->where & SERVICE_HERE) {
        buf_printf(&here, "SERVER.%.*s.", STR_ARG(s->server_id));
        subscribe(s, service, buf_str(&here));
        buf_deinit(&here);
    }
    if (service->where & SERVICE_EVERYWHERE) {
        subscribe(s, service, STR("SERVER.PING."));
    }
    if (service->where & SERVICE_ACCOUNT) {
        subscribe(s, service, STR("ACCOUNT.*."));
    }
    if (service->where & SERVICE_PLAIN) {
        subscribe(s, service, (struct str){0});
    }
}
