// Command peer sends one request, or several alike, with net/http and says what every hook of
// net/http/httptrace was told: one line of JSON for each call, in the order of the calls, then one
// line with the outcome. Hooks and arguments have the names of tracedclient.httptrace.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// patience bounds the wait for hooks that come after the answer.
const patience = 2 * time.Second

type args map[string]any

type event struct {
	Hook string `json:"hook"`
	Args args   `json:"args"`
}

// journal keeps the calls of all hooks, which come from several goroutines.
type journal struct {
	mu     sync.Mutex
	events []event
}

func (j *journal) add(hook string, a args) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event{hook, a})
}

func (j *journal) count(hook string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, e := range j.events {
		if e.Hook == hook {
			n++
		}
	}
	return n
}

// settle waits for the hooks of the goroutine that writes: they may come after the answer.
func (j *journal) settle() {
	end := time.Now().Add(patience)
	for j.count("wrote_request") < j.count("got_conn") && time.Now().Before(end) {
		time.Sleep(time.Millisecond)
	}
}

// text is an error's text, or nil, which JSON shows as null.
func text(err error) any {
	if err == nil {
		return nil
	}
	return err.Error()
}

func (j *journal) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(hostPort string) { j.add("get_conn", args{"host_port": hostPort}) },
		GotConn: func(i httptrace.GotConnInfo) {
			j.add("got_conn", args{
				"reused": i.Reused, "was_idle": i.WasIdle,
				"has_idle_time": i.IdleTime > 0, "remote": i.Conn.RemoteAddr().String(),
			})
		},
		PutIdleConn:          func(err error) { j.add("put_idle_conn", args{"error": text(err)}) },
		GotFirstResponseByte: func() { j.add("got_first_response_byte", args{}) },
		Got100Continue:       func() { j.add("got_100_continue", args{}) },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			j.add("got_1xx_response", args{"status": code, "headers": h})
			return nil
		},
		DNSStart: func(i httptrace.DNSStartInfo) { j.add("dns_start", args{"host": i.Host}) },
		DNSDone: func(i httptrace.DNSDoneInfo) {
			addrs := []string{}
			for _, a := range i.Addrs {
				addrs = append(addrs, a.String())
			}
			j.add("dns_done", args{"addrs": addrs, "error": text(i.Err)})
		},
		ConnectStart: func(network, addr string) {
			j.add("connect_start", args{"network": network, "addr": addr})
		},
		ConnectDone: func(network, addr string, err error) {
			j.add("connect_done", args{"network": network, "addr": addr, "error": text(err)})
		},
		TLSHandshakeStart: func() { j.add("tls_handshake_start", args{}) },
		TLSHandshakeDone: func(s tls.ConnectionState, err error) {
			j.add("tls_handshake_done", args{
				"version": version(s), "certificates": len(s.PeerCertificates), "error": text(err),
			})
		},
		WroteHeaderField: func(key string, values []string) {
			j.add("wrote_header_field", args{"key": key, "values": values})
		},
		WroteHeaders:    func() { j.add("wrote_headers", args{}) },
		Wait100Continue: func() { j.add("wait_100_continue", args{}) },
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			j.add("wrote_request", args{"error": text(i.Err)})
		},
	}
}

func version(s tls.ConnectionState) any {
	if s.Version == 0 {
		return nil
	}
	return strings.ReplaceAll(tls.VersionName(s.Version), "TLS ", "TLSv")
}

// order is what the command line asks for.
type order struct {
	url, method, body string
	headers           headers
	proxy, ca         string
	times             int
	headTimeout       time.Duration
	unread            bool
}

type headers []string

func (h *headers) String() string { return strings.Join(*h, ", ") }

func (h *headers) Set(field string) error {
	*h = append(*h, field)
	return nil
}

func parse() (order, error) {
	var o order
	flag.StringVar(&o.method, "method", http.MethodGet, "the request's `method`")
	flag.StringVar(&o.body, "body", "", "the request's body")
	flag.Var(&o.headers, "header", "a `name: value` to send; may be repeated")
	flag.StringVar(&o.proxy, "proxy", "", "the proxy's `URL`")
	flag.StringVar(&o.ca, "ca", "", "a PEM `file` with the only authority to trust")
	flag.IntVar(&o.times, "times", 1, "how many such requests to send, one after the other")
	flag.DurationVar(&o.headTimeout, "head-timeout", 0, "how long to wait for the answer's head")
	flag.BoolVar(&o.unread, "unread", false, "close the answer's body without reading it")
	flag.Parse()
	if flag.NArg() != 1 {
		return o, errors.New("exactly one URL is needed after the flags")
	}
	o.url = flag.Arg(0)
	return o, nil
}

func (o order) client() (*http.Client, error) {
	transport := &http.Transport{
		ExpectContinueTimeout: time.Second,
		ResponseHeaderTimeout: o.headTimeout,
		// A configuration of one's own leaves HTTP/2 off.
		TLSClientConfig: &tls.Config{},
	}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
	}
	if o.proxy != "" {
		proxy, err := url.Parse(o.proxy)
		if err != nil {
			return nil, err
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	return &http.Client{Transport: transport}, nil
}

func (o order) request(trace *httptrace.ClientTrace) (*http.Request, error) {
	var body io.Reader
	if o.body != "" {
		body = strings.NewReader(o.body)
	}
	request, err := http.NewRequest(o.method, o.url, body)
	if err != nil {
		return nil, err
	}
	for _, field := range o.headers {
		name, value, _ := strings.Cut(field, ":")
		request.Header.Add(name, strings.TrimSpace(value))
	}
	return request.WithContext(httptrace.WithClientTrace(request.Context(), trace)), nil
}

// send returns the status of the answer, whose body it has read unless told not to.
func (o order) send(client *http.Client, j *journal) (int, error) {
	request, err := o.request(j.trace())
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if !o.unread {
		_, err = io.Copy(io.Discard, response.Body)
	}
	return response.StatusCode, err
}

func run() error {
	o, err := parse()
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	j := &journal{}
	var status int
	var failure error
	for i := 0; i < o.times && failure == nil; i++ {
		status, failure = o.send(client, j)
		j.settle()
	}
	return j.print(status, failure)
}

func (j *journal) print(status int, failure error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := json.NewEncoder(os.Stdout)
	for _, e := range j.events {
		if err := out.Encode(e); err != nil {
			return err
		}
	}
	return out.Encode(args{"status": status, "error": text(failure)})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(2)
	}
}
