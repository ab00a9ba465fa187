/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, delivered by the loop of the control thread one at a time. */
#include "server/signals.h"

#include <signal.h>

#include "base/log.h"
#include "server/server.h"

static const struct {
    int number;
    const char *name;
} handled[SIGNALS_HANDLED] = {
    {SIGINT, "interrupt"},
    {SIGTERM, "terminated"},
    {SIGHUP, "hangup"},
    {SIGUSR1, "user defined signal 1"},
    {SIGUSR2, "user defined signal 2"},
    {SIGQUIT, "quit"},
};

static void on_signal(int number, void *arg)
{
    struct server *s = arg;

    if (s->is_shutting_down) {
        return;
    }
    for (unsigned i = 0; i < SIGNALS_HANDLED; i++) {
        if (handled[i].number == number) {
            log_info("Trapped \"%s\" signal", handled[i].name);
        }
    }
    switch (number) {
    case SIGTERM:
    case SIGQUIT:
        if (!lame_duck_is_on(&s->lame_duck)) {
            server_shutdown(s);
        }
        break;
    case SIGINT:
        server_shutdown(s);
        break;
    case SIGHUP:
        reload_run(s);
        break;
    case SIGUSR1:
        log_reopen();
        break;
    case SIGUSR2:
        lame_duck_enter(s);
        break;
    default:
        break;
    }
}

void signals_start(struct server *s)
{
    for (unsigned i = 0; i < SIGNALS_HANDLED; i++) {
        signal_watch_start(&s->signals.watches[i], s->control, handled[i].number, on_signal, s);
    }
}

void signals_stop(struct server *s)
{
    sigset_t all;

    /* From here to the end of the process a signal must not have its default effect. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (unsigned i = 0; i < SIGNALS_HANDLED; i++) {
        signal_watch_stop(&s->signals.watches[i]);
    }
}
