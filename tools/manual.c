/* SPDX-License-Identifier: Apache-2.0 */
/* gnatwren(1) is the text of --help in other clothes, and what is to be said around it. */
#include "manual.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/help.h"

/* The columns of --help. */
#define FLAG_COLUMN 4
#define TEXT_COLUMN 37

#define ELLIPSIS "\xe2\x80\xa6"

static const char program_head[] =
    ".SH NAME\n"
    "gnatwren \\- NATS server\n"
    ".SH SYNOPSIS\n"
    ".B gnatwren\n"
    ".RI [ option \"] ...\"\n"
    ".SH DESCRIPTION\n"
    ".B gnatwren\n"
    "is a server of the NATS messaging system: clients publish messages to subjects, and receive\n"
    "those of the subjects that they subscribe to. It takes the place of\n"
    ".BR nats-server :\n"
    "command line, configuration, signals and log are the same.\n"
    ".PP\n"
    "Without options it listens on port 4222 of all addresses, and everybody may come in.\n"
    ".SH OPTIONS\n"
    "Those of the command line win over the configuration file. One dash will do for two, and a\n"
    "value may follow after a blank or\n"
    ".BR = .";

static const char program_tail[] =
    ".SH SIGNALS\n"
    ".TP\n.B SIGHUP\nReload the configuration file.\n"
    ".TP\n.B SIGUSR1\nOpen the log file anew, after it was moved away.\n"
    ".TP\n.B SIGUSR2\nLame duck mode: take no new clients, close those that are there one by one, "
    "then end.\n"
    ".TP\n.BR SIGINT \", \" SIGTERM \", \" SIGQUIT\nEnd: what is queued for clients is sent "
    "first.\n"
    ".SH EXIT STATUS\n"
    "0 after a signal, and when all that was asked for has been printed; 1 otherwise.\n"
    ".SH ENVIRONMENT\n"
    "A configuration may use any variable. These are read once, and removed:\n"
    ".TP\n.B NOTIFY_SOCKET\nThe service manager is told of the start, of reloads and of the end, "
    "see\n.BR sd_notify (3).\n"
    ".TP\n.BR WATCHDOG_USEC \", \" WATCHDOG_PID\nIt also gets signs of life, twice in this time.\n"
    ".TP\n.BR LISTEN_FDS \", \" LISTEN_PID \", \" LISTEN_FDNAMES\nSockets to listen on that were "
    "opened by the service manager, see\n.BR sd_listen_fds (3).\nTheir names:\n.B client\n(as one "
    "without a name),\n.BR unix \", \" http .\n"
    ".SH FILES\n"
    ".TP\n.I /etc/gnatwren/gnatwren.conf\nThe configuration of the service.\n"
    ".SH SEE ALSO\n"
    ".BR gnatwren.conf (5),\n"
    "https://docs.nats.io\n";

const char manual_conf_head[] =
    ".SH NAME\n"
    "gnatwren.conf \\- configuration of gnatwren, a NATS server\n"
    ".SH DESCRIPTION\n"
    "The language is that of nats-server: an option is a name and a value, with\n"
    ".BR : ,\n"
    ".B =\n"
    "or a blank between them;\n"
    ".B {\n"
    "and\n"
    ".B }\n"
    "enclose a block of options,\n"
    ".B [\n"
    "and\n"
    ".B ]\n"
    "an array of values. A comment begins with\n"
    ".B #\n"
    "or\n"
    ".BR // .\n"
    "JSON will do as well.\n"
    ".PP\n"
    ".EX\n"
    "server_name: one\n"
    "authorization {\n"
    "    users: [ { user: orders, password: $ORDERS_PASSWORD } ]\n"
    "}\n"
    "include more.conf\n"
    ".EE\n"
    ".PP\n"
    "A size may have a suffix\n"
    ".RB ( 64KB \", \" 1GB ),\n"
    "a duration has a unit\n"
    ".RB ( 250ms \", \" 2m ).\n"
    ".BI $ NAME\n"
    "is a variable: an option of that name above it, or one of the environment.\n"
    ".PP\n"
    ".B gnatwren \\-t \\-c\n"
    ".I file\n"
    "checks a file; with\n"
    ".B \\-\\-explain\n"
    "it shows each option with its value and where that is from.\n"
    ".SH OPTIONS\n"
    ".IB a . b\n"
    "is\n"
    ".I b\n"
    "in the block\n"
    ".IR a ,\n"
    ".IB a [] .b\n"
    "is\n"
    ".I b\n"
    "in each element of the array\n"
    ".IR a ,\n"
    ".IB a .NAME. b\n"
    "in each block of\n"
    ".IR a ,\n"
    "whatever its name. What several options hold alike is listed at the first of them. An option\n"
    "can change in a reload where nothing else is said.";

const char manual_conf_tail[] = "\n.SH SEE ALSO\n"
                                ".BR gnatwren (1)\n";

/* ---- */

static void print_char(char c)
{
    if (c == '\\') {
        printf("\\e");
    } else if (c == '-') {
        printf("\\-");
    } else {
        putchar(c);
    }
}

void manual_print(const char *text)
{
    if (*text == '.' || *text == '\'') {
        printf("\\&");
    }
    while (*text) {
        if (strncmp(text, ELLIPSIS, strlen(ELLIPSIS)) == 0) {
            printf("...");
            text += strlen(ELLIPSIS);
        } else {
            print_char(*text++);
        }
    }
}

void manual_print_title(const char *page, const char *section)
{
    printf(".\\\" SPDX-License-Identifier: Apache-2.0\n"
           ".\\\" Written by tools/option_docs.c from the tables of the program; do not edit.\n"
           ".TH %s \"\" \"gnatwren " GNATWREN_VERSION "\" \"%s\"\n",
           page, section);
}

/* A flag is bold, what stands for a value is not. */
static void print_flag(const char *text, size_t n)
{
    printf("\\fB");
    for (size_t i = 0; i < n; i++) {
        printf("%s", text[i] == '<' ? "\\fR\\fI" : "");
        print_char(text[i]);
        printf("%s", text[i] == '>' ? "\\fR\\fB" : "");
    }
    printf("\\fR");
}

/* A line of --help: flags, text, or both. @param is_flag  whether flags came that lack their text
 */
static void print_line(const char *line, bool *is_flag)
{
    size_t n = strlen(line);
    size_t n_flag = n < TEXT_COLUMN ? n : TEXT_COLUMN;
    size_t start = strspn(line, " ");

    while (n_flag && line[n_flag - 1] == ' ') {
        n_flag--;
    }
    if (n_flag > start) {
        printf("%s", *is_flag ? ", " : "\n.TP\n");
        print_flag(line + start, n_flag - start);
        *is_flag = true;
    }
    if (n > TEXT_COLUMN) {
        printf("\n");
        manual_print(line + TEXT_COLUMN);
        *is_flag = false;
    }
}

static void print_help_line(const char *line, bool *is_flag)
{
    size_t n = strlen(line);

    if (strspn(line, " ") >= FLAG_COLUMN) {
        print_line(line, is_flag);
    } else if (n > 1 && line[n - 1] == ':') {
        printf("\n.SS %.*s", (int)n - 1, line);
    }
}

void manual_print_program(void)
{
    char *help = NULL;
    bool is_flag = false;
    size_t n = 0;
    FILE *to = open_memstream(&help, &n);

    if (!to) {
        return;
    }
    help_print_usage(to, "gnatwren");
    if (fclose(to) != 0) {
        return;
    }
    manual_print_title("GNATWREN 1", "User Commands");
    printf("%s", program_head);
    for (char *line = help; *line;) {
        char *end = strchr(line, '\n');

        *end = '\0';
        print_help_line(line, &is_flag);
        line = end + 1;
    }
    printf("\n%s", program_tail);
    free(help);
}
