/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts. Groups, columns and flags are those of nats-server, so that tools which read them and
 * people who know them find what they look for; our own flags have a group of their own. */
#include "server/help.h"

#include <stdio.h>

static const char server_flags[] =
    "Server Options:\n"
    "    -a, --addr, --net <host>         Listen on this address (default: 0.0.0.0)\n"
    "    -p, --port <port>                Port for clients, -1 takes a free one (default: 4222)\n"
    "    -n, --name\n"
    "        --server_name <server_name>  Name of this server (default: its id)\n"
    "    -P, --pid <file>                 File for the process id\n"
    "    -m, --http_port <port>           Port for monitoring over http\n"
    "    -ms,--https_port <port>          Port for monitoring over https\n"
    "    -c, --config <file>              Configuration file\n"
    "    -t                               Check the configuration file and exit\n";

static const char file_flags[] =
    "        --client_advertise <string>  host:port that clients are told to connect to\n"
    "        --ports_file_dir <dir>       Directory for a file with the ports in use "
    "(<executable_name>_<pid>.ports).\n"
    "\n"
    "Logging Options:\n"
    "    -l, --log <file>                 Log to this file\n"
    "    -T, --logtime                    Date and time on log lines (default: true)\n"
    "        --logtime_utc                In UTC instead of the local time zone (default: false)\n"
    "    -s, --syslog                     Log to the local syslog daemon\n"
    "    -r, --remote_syslog <addr>       Log to syslog at a URL (udp://localhost:514)\n"
    "    -D, --debug                      Log debug lines\n"
    "    -V, --trace                      Log the protocol as it goes over the wire\n"
    "    -VV                              Trace, the system account included\n"
    "    -DV                              Debug and trace\n"
    "    -DVV                             Debug and trace, the system account included\n"
    "        --log_size_limit <limit>     Rotate the log file at this size (default: never)\n"
    "        --max_traced_msg_len <len>   Bytes of a message that are traced (default: all)\n"
    "\n"
    "JetStream Options:\n"
    "    -js, --jetstream                 Enable JetStream\n"
    "    -sd, --store_dir <dir>           Directory for its data\n"
    "\n"
    "Authorization Options:\n"
    "        --user <user>                User that clients must log in as\n"
    "        --pass <password>            Password of that user\n"
    "        --auth <token>               Token that clients must log in with\n"
    "\n"
    "TLS Options:\n"
    "        --tls                        Enable TLS, clients need no certificate (default: "
    "false)\n"
    "        --tlscert <file>             Certificate of the server\n"
    "        --tlskey <file>              Private key of that certificate\n"
    "        --tlsverify                  Enable TLS, clients need a certificate\n"
    "        --tlscacert <file>           Authorities that client certificates are checked with\n"
    "\n"
    "Cluster Options:\n"
    "        --routes <rurl-1, rurl-2>    Servers to connect to\n"
    "        --cluster <cluster-url>      URL to listen on for routes\n"
    "        --cluster_name <string>      Name of the cluster (default: a random one)\n"
    "        --no_advertise <bool>        Do not tell clients about the other servers\n"
    "        --cluster_advertise <string> host:port that other servers are told to connect to\n"
    "        --connect_retries <number>   Attempts to connect to a server that others told of\n"
    "        --cluster_listen <url>       URL to listen on for routes\n"
    "\n"
    "Profiling Options:\n"
    "        --profile <port>             Port for profiling over http\n"
    "\n"
    "Gnatwren Options:\n"
    "        --io_threads <number>        Threads that serve connections (default: one per core)\n"
    "        --set <name>=<value>         Set an option by its configuration name; repeatable\n"
    "        --explain                    Show all options, their values and origins; exit\n"
    "        --diff <old> <new>           With -t: show what a reload would change; exit\n"
    "\n"
    "Common Options:\n"
    "    -h, --help                       Show this text\n"
    "    -v, --version                    Show the version\n"
    "        --help_tls                   Show how TLS is configured\n"
    "\n";

void help_print_usage(FILE *to, const char *program)
{
    fprintf(to, "\nUsage: %s [options]\n\n", program);
    fputs(server_flags, to);
    fprintf(to,
            "    -sl,--signal <signal>[=<pid>]    Send a signal to a %s process "
            "(ldm, stop, quit, term, reopen, reload)\n"
            "                                     <pid> is a process id (e.g. 1) or the path of a "
            "file with one (e.g. /var/run/%s.pid)\n",
            program, program);
    fputs(file_flags, to);
}

void help_print_tls(FILE *to)
{
    fputs("TLS is set up in the tls section of the configuration file.\n"
          "\n"
          "e.g.\n"
          "\n"
          "    tls {\n"
          "        cert_file:      \"./certs/server-cert.pem\"\n"
          "        key_file:       \"./certs/server-key.pem\"\n"
          "        ca_file:        \"./certs/ca.pem\"\n"
          "        verify:         true\n"
          "        verify_and_map: true\n"
          "\n"
          "        cipher_suites: [\n"
          "            \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\",\n"
          "            \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"\n"
          "        ]\n"
          "        curve_preferences: [\n"
          "            \"CurveP256\",\n"
          "            \"CurveP384\",\n"
          "            \"CurveP521\"\n"
          "        ]\n"
          "    }\n"
          "\n"
          "Available cipher suites include:\n"
          "    TLS_AES_128_GCM_SHA256\n"
          "    TLS_AES_256_GCM_SHA384\n"
          "    TLS_CHACHA20_POLY1305_SHA256\n"
          "    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n"
          "    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n"
          "    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n"
          "    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
          "    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
          "    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n"
          "\n"
          "Available curve preferences include:\n"
          "    X25519\n"
          "    CurveP256\n"
          "    CurveP384\n"
          "    CurveP521\n"
          "\n",
          to);
}
