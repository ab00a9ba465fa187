/* SPDX-License-Identifier: Apache-2.0 */
/* The list of services. */
#include "system/system.h"

#include "base/attr.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "conn/handle.h"

static const struct system_service services[] = {
    {"$SYS.REQ.USER.*.INFO", &user_info_ops},
    {"$SYS.DEBUG.SUBSCRIBERS", &subscribers_ops},
};

void system_open(struct system_services *s, struct account *account)
{
    *s = (struct system_services){.account = account};
    if (!account) {
        return;
    }
    s->subs = mem_alloc(sizeof(services) / sizeof(services[0]) * sizeof(struct sub *));
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        s->subs[i] = sub_new(HANDLE_NONE, services[i].ops, str_of(services[i].subject),
                             (struct str){0}, (struct str){0});
        index_add(account->index, s->subs[i]);
    }
}

void system_close(struct system_services *s)
{
    for (size_t i = 0; s->account && i < ARRAY_SIZE(services); i++) {
        index_remove(s->account->index, s->subs[i]);
        sub_unref(s->subs[i]);
    }
    mem_free(s->subs);
    *s = (struct system_services){0};
}
