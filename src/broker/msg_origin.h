/* SPDX-License-Identifier: Apache-2.0 */
/* Where a message comes from: who published it, and by which services it got here. On the stack of
 * whoever delivers it. */
#pragma once

struct account;
struct export;
struct service_import;
struct speaker;
struct trace;

struct msg_origin {
    const struct speaker *speaker;   // NULL: the server itself
    const struct account *account;   // of the speaker
    const struct msg_origin *before; // of the message that this one was made of; NULL: it is as
                                     // published
    const struct service_import *service; // that made it; NULL: none, or it is a response
    const struct export *export; // of that service, or that it is a response of; NULL: none
    struct trace *trace;         // that is told of it; NULL: none
};
