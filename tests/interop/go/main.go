// SPDX-License-Identifier: Apache-2.0

// Runs one interop case with the official Go client: client CASE URL [NAME=VALUE]…
// Exit code 0 means that the case passed. See ../README.md.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

const wait = 60 * time.Second // how long to wait for anything the server must do

var cases = map[string]func(target){
	"connect":            caseConnect,
	"pubsub":             casePubSub,
	"wildcard":           caseWildcard,
	"queue":              caseQueue,
	"request":            caseRequest,
	"headers":            caseHeaders,
	"no_responders":      caseNoResponders,
	"drain_subscription": caseDrainSubscription,
	"drain_connection":   caseDrainConnection,
	"auto_unsubscribe":   caseAutoUnsubscribe,
	"flush_rtt":          caseFlushRTT,
	"order":              caseOrder,
	"large_payload":      caseLargePayload,
	"reconnect":          caseReconnect,
	"lame_duck":          caseLameDuck,
	"login":              caseLogin,
	"login_refused":      caseLoginRefused,
	"tls_refused":        caseTLSRefused,
	"permissions":        casePermissions,
	"accounts":           caseAccounts,
	"reload":             caseReload,
}

// target is what the command line asked for.
type target struct {
	url      string
	settings map[string]string
}

// check ends the program unless isTrue holds; the log line names the caller's place.
func check(isTrue bool, format string, args ...any) {
	if !isTrue {
		fatal(fmt.Sprintf(format, args...))
	}
}

// ok ends the program if there is an error.
func ok(err error) {
	if err != nil {
		fatal(err.Error())
	}
}

// failsWith ends the program unless the error is the wanted one.
func failsWith(wanted, err error) {
	if !errors.Is(err, wanted) {
		fatal(fmt.Sprintf("got error %v, wanted %v", err, wanted))
	}
}

// fatal reports the place that called check, ok or failsWith.
func fatal(text string) {
	_ = log.Output(3, text)
	os.Exit(1)
}

// security returns the options for login and TLS.
func (t target) security() []nats.Option {
	var options []nats.Option
	if user, is := t.settings["user"]; is {
		options = append(options, nats.UserInfo(user, t.settings["pass"]))
	}
	if token, is := t.settings["token"]; is {
		options = append(options, nats.Token(token))
	}
	if nkey, is := t.settings["nkey"]; is {
		pair, err := nkeys.FromSeed([]byte(t.settings["seed"]))
		ok(err)
		options = append(options, nats.Nkey(nkey, pair.Sign))
	}
	if ca, is := t.settings["ca"]; is {
		options = append(options, nats.RootCAs(ca))
	}
	if cert, is := t.settings["cert"]; is {
		options = append(options, nats.ClientCert(cert, t.settings["key"]))
	}
	return options
}

func (t target) dial(options ...nats.Option) (*nats.Conn, error) {
	options = append(options, nats.Name("interop-go"), nats.Timeout(wait), nats.DrainTimeout(wait))
	return nats.Connect(t.url, append(t.security(), options...)...)
}

func (t target) connect(options ...nats.Option) *nats.Conn {
	nc, err := t.dial(options...)
	ok(err)
	return nc
}

// flush sends everything buffered and waits for the server's answer.
func flush(nc *nats.Conn) {
	ok(nc.FlushTimeout(wait))
}

func publish(nc *nats.Conn, subject, text string) {
	ok(nc.Publish(subject, []byte(text)))
}

// subscribe makes a synchronous subscription that the server has confirmed.
func subscribe(nc *nats.Conn, subject string) *nats.Subscription {
	sub, err := nc.SubscribeSync(subject)
	ok(err)
	flush(nc)
	return sub
}

func queueSubscribe(nc *nats.Conn, subject, queue string) *nats.Subscription {
	sub, err := nc.QueueSubscribeSync(subject, queue)
	ok(err)
	flush(nc)
	return sub
}

func next(sub *nats.Subscription) *nats.Msg {
	msg, err := sub.NextMsg(wait)
	ok(err)
	return msg
}

func expectText(sub *nats.Subscription, text string) {
	msg, err := sub.NextMsg(wait)
	ok(err)
	check(string(msg.Data) == text, "got %q, wanted %q", msg.Data, text)
}

// expectNothing checks that the server has sent nothing but what was taken already.
func expectNothing(nc *nats.Conn, sub *nats.Subscription) {
	flush(nc)
	check(pending(sub) == 0, "%d unexpected messages on %s", pending(sub), sub.Subject)
}

func pending(sub *nats.Subscription) int {
	n, _, err := sub.Pending()
	ok(err)
	return n
}

// expectNoInterest checks that the server knows of no subscription to the subject.
func expectNoInterest(nc *nats.Conn, subject string) {
	_, err := nc.Request(subject, []byte("anybody?"), wait)
	failsWith(nats.ErrNoResponders, err)
}

// sayReady tells the test that it may now restart or signal the server.
func sayReady() {
	fmt.Println("ready")
}

// await waits for an event of a channel.
func await[T any](events <-chan T, what string) T {
	select {
	case event := <-events:
		return event
	case <-time.After(wait):
		fatal("timeout: " + what)
		panic("not reached")
	}
}

func main() {
	log.SetFlags(log.Lshortfile)
	if len(os.Args) < 3 || cases[os.Args[1]] == nil {
		fmt.Fprintf(os.Stderr, "usage: %s CASE URL [NAME=VALUE]…\n", os.Args[0])
		os.Exit(2)
	}
	t := target{url: os.Args[2], settings: map[string]string{}}
	for _, word := range os.Args[3:] {
		name, value, _ := strings.Cut(word, "=")
		t.settings[name] = value
	}
	cases[os.Args[1]](t)
}
