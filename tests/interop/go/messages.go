// SPDX-License-Identifier: Apache-2.0

// Cases about what is delivered, to whom and in which order. Publisher and subscriber are always two
// connections, so that a message has to cross the server.

package main

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/nats-io/nats.go"
)

func casePubSub(t target) {
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	sub := subscribe(subscriber, "greet")
	other := subscribe(subscriber, "greeting")

	texts := []string{"hello", "", "PUB greet 3\r\n"}
	for _, text := range texts {
		publish(publisher, "greet", text)
	}
	ok(publisher.PublishRequest("greet", "answer.here", []byte("with reply")))
	flush(publisher)
	for _, text := range texts {
		expectText(sub, text)
	}
	msg := next(sub)
	check(msg.Subject == "greet" && msg.Reply == "answer.here", "got %+v", msg)

	ok(sub.Unsubscribe())
	flush(subscriber)
	expectNoInterest(publisher, "greet")
	expectNothing(subscriber, other)
}

func caseWildcard(t target) {
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	subjects := []string{"a", "a.b", "a.b.c", "a.x.c", "a.b.c.d", "b.b.c"}
	wanted := map[string][]string{
		"a.*.c": {"a.b.c", "a.x.c"},
		"a.>":   {"a.b", "a.b.c", "a.x.c", "a.b.c.d"},
		">":     subjects,
	}
	subs := map[string]*nats.Subscription{}
	for pattern := range wanted {
		subs[pattern] = subscribe(subscriber, pattern)
	}

	for _, subject := range subjects {
		publish(publisher, subject, subject)
	}
	flush(publisher)
	for pattern, sub := range subs {
		for _, subject := range wanted[pattern] {
			msg := next(sub)
			check(msg.Subject == subject && string(msg.Data) == subject,
				"%s: got %s, wanted %s", pattern, msg.Subject, subject)
		}
		expectNothing(subscriber, sub)
	}
}

func caseQueue(t target) {
	const nMsgs = 600
	publisher, first, second := t.connect(), t.connect(), t.connect()
	defer publisher.Close()
	defer first.Close()
	defer second.Close()
	members := []*nats.Subscription{
		queueSubscribe(first, "work", "workers"),
		queueSubscribe(first, "work", "workers"),
		queueSubscribe(second, "work", "workers"),
	}
	audit := queueSubscribe(second, "work", "audit")
	plain := subscribe(second, "work")

	for i := 0; i < nMsgs; i++ {
		publish(publisher, "work", "job")
	}
	flush(publisher)
	for i := 0; i < nMsgs; i++ {
		expectText(audit, "job")
		expectText(plain, "job")
	}
	expectNothing(second, audit)
	expectNothing(second, plain)
	flush(first)

	total := 0
	for i, member := range members {
		n := pending(member)
		check(n > 0, "member %d got nothing", i)
		total += n
	}
	check(total == nMsgs, "members got %d messages, wanted %d", total, nMsgs)
}

func caseRequest(t target) {
	const nRequests = 100
	client, service := t.connect(), t.connect()
	defer client.Close()
	defer service.Close()
	_, err := service.Subscribe("echo", func(msg *nats.Msg) { ok(msg.Respond(msg.Data)) })
	ok(err)
	flush(service)

	for i := 0; i < nRequests; i++ {
		question := fmt.Sprintf("question %d", i)
		answer, err := client.Request("echo", []byte(question), wait)
		ok(err)
		check(string(answer.Data) == question, "got %q, wanted %q", answer.Data, question)
	}
}

func caseHeaders(t target) {
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	sub := subscribe(subscriber, "with.headers")

	check(publisher.HeadersSupported(), "no header support")
	for _, payload := range []string{"payload", ""} {
		sent := nats.Header{
			"X-Multi":   {"one", "two", "three"},
			"x-multi":   {"not the same key"},
			"cAmEl-Key": {"a: b; c=\"d\", grüß"},
		}
		ok(publisher.PublishMsg(&nats.Msg{Subject: "with.headers", Reply: "answer.here", Header: sent,
			Data: []byte(payload)}))
		flush(publisher)
		got := next(sub)
		check(reflect.DeepEqual(got.Header, sent), "got %v, wanted %v", got.Header, sent)
		check(got.Reply == "answer.here", "got reply %q", got.Reply)
		check(string(got.Data) == payload, "got %q, wanted %q", got.Data, payload)
	}
}

func caseNoResponders(t target) {
	nc := t.connect()
	defer nc.Close()
	expectNoInterest(nc, "nobody.home")
}

func caseAutoUnsubscribe(t target) {
	const max = 5
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	sub, err := subscriber.SubscribeSync("few")
	ok(err)
	ok(sub.AutoUnsubscribe(max))
	flush(subscriber)

	for i := 0; i < 2*max; i++ {
		publish(publisher, "few", fmt.Sprint(i))
	}
	flush(publisher)
	for i := 0; i < max; i++ {
		expectText(sub, fmt.Sprint(i))
	}
	_, err = sub.NextMsg(wait)
	failsWith(nats.ErrMaxMessages, err)
	// The library drops what is too much; that the server has forgotten the subscription shows here.
	expectNoInterest(publisher, "few")
}

func caseOrder(t target) {
	const nMsgs = 10000
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	sub := subscribe(subscriber, "order.*")

	subjects := []string{"order.even", "order.odd"}
	for i := 0; i < nMsgs; i++ {
		publish(publisher, subjects[i%2], fmt.Sprint(i))
	}
	flush(publisher)
	for i := 0; i < nMsgs; i++ {
		expectText(sub, fmt.Sprint(i))
	}
	expectNothing(subscriber, sub)
}

func caseLargePayload(t target) {
	const size = 1024 * 1024
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	sub := subscribe(subscriber, "large")
	payload := make([]byte, size+1)
	for i := range payload {
		payload[i] = byte(i*31 + i/256) // every byte value
	}
	copy(payload[size/2:], "\r\nPUB large 3\r\nabc\r\nPING\r\n")

	check(publisher.MaxPayload() == size, "max payload is %d", publisher.MaxPayload())
	ok(publisher.Publish("large", payload[:size]))
	failsWith(nats.ErrMaxPayload, publisher.Publish("large", payload))
	flush(publisher)
	msg := next(sub)
	check(bytes.Equal(msg.Data, payload[:size]), "payload of %d bytes differs", len(msg.Data))
	expectNothing(subscriber, sub)
}
