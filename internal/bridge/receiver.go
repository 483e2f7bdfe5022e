package bridge

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Receiver is somebody who is told of cases.
type Receiver interface {
	// Name of it in metrics, logs and its consumer group; it holds no secret.
	Name() string
	// Tell delivers events in order and returns how many of them are done with before the
	// error; that counts those an ErrRefused is about. It may be called concurrently.
	Tell(ctx context.Context, events []Event) (done int, err error)
	// Repeat is how often an open alert is told again, lest it expires; 0: never.
	Repeat() time.Duration
	// Filter says which cases it is told of.
	Filter() Filter
	// Reach asks whether it would take what it is told, and tells it nothing.
	Reach(ctx context.Context) error
}

// Connection is how a receiver is reached over HTTP.
type Connection struct {
	// TLS is used for https; nil: the authorities of the operating system.
	TLS *tls.Config
	// Authorization is the header of that name, such as "Bearer …"; "": none.
	Authorization string
	// Timeout bounds one request, its answer included. By default 10 s.
	Timeout time.Duration
}

// ErrRefused says that the receiver will never take what it was sent.
var ErrRefused = errors.New("refused for good")

const (
	quoted   = 200      // bytes of an answer that an error quotes
	mostRead = 64 << 10 // bytes of an answer that are read, so that the connection can be used again
)

// poster sends bodies.
type poster struct {
	client        *http.Client
	authorization string
}

func newPoster(c Connection) poster {
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: c.TLS, ForceAttemptHTTP2: true,
		DialContext:         (&net.Dialer{Timeout: c.Timeout}).DialContext,
		TLSHandshakeTimeout: c.Timeout, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second}
	return poster{client: &http.Client{Transport: transport, Timeout: c.Timeout,
		// The body, the signature and the login are for this address only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		authorization: c.Authorization}
}

// post sends one JSON body. An answer of 400, 413 or 422 is ErrRefused: no repeat helps.
func (p poster) post(ctx context.Context, address string, body []byte, header map[string]string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return bare(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "recoup")
	if p.authorization != "" {
		request.Header.Set("Authorization", p.authorization)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return bare(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, mostRead)) // only quoted
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %s: %.*s", ErrRefused, response.Status, quoted, said)
	default:
		return fmt.Errorf("the answer is %s: %.*s", response.Status, quoted, said)
	}
}

// ask sends a request without a body and returns the answer's status and time.
func (p poster) ask(ctx context.Context, method, address string) (code int, date time.Time, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return 0, date, bare(err)
	}
	if p.authorization != "" {
		request.Header.Set("Authorization", p.authorization)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, date, bare(err)
	}
	response.Body.Close()
	date, _ = http.ParseTime(response.Header.Get("Date")) // zero: it does not say
	return response.StatusCode, date, nil
}

// bare is an error without the address, which may hold a secret.
func bare(err error) error {
	if with, ok := errors.AsType[*url.Error](err); ok {
		return with.Err
	}
	return err
}
