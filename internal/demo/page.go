package demo

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strconv"
	"time"

	"recoup/internal/story"
)

//go:embed web
var web embed.FS

// policy lets the page load its own style and script and talk to its own
// server, and nothing else: data can never become code.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// View is all that the page shows.
type View struct {
	Figures Figures  // as of this request
	Chart   Chart    // of the same figures
	Summary *Summary // nil until the stream has ended
	// People is what the team and the customers did so far; nil before they did anything.
	People  *story.Figures
	Account *Account // as Summary
	Queries []string // lines that query the results
}

// Chart is the bar chart of one replay, in the units of its view box.
type Chart struct {
	Width, Height           int    // of the view box
	Bars                    []Bar  // one per day, oldest first; none before the first day
	MostScored, MostSuspect int    // invoices of the day with the most; the scales of the bars
	From, To                string // first and last day, such as 2011-05-18
}

// Bar is one day of the chart.
type Bar struct {
	Title                 string  // shown on hovering: day and both counts
	X, Width              float64 // left edge, and extent to the right
	Y, High               float64 // invoices, growing upwards
	FlaggedY, FlaggedHigh float64 // flagged invoices, growing downwards on their own scale
}

// Heights of the chart's parts: the flagged bars hang below the others.
const (
	chartWidth  = 800
	chartHeight = 130
	scoredBase  = 80
	scoredHigh  = 80
	flaggedBase = 83
	flaggedHigh = 47
)

// chart draws the days.
func chart(days []Day) Chart {
	c := Chart{Width: chartWidth, Height: chartHeight}
	if len(days) == 0 {
		return c
	}
	c.From, c.To = days[0].Date, days[len(days)-1].Date
	for _, day := range days {
		c.MostScored, c.MostSuspect = max(c.MostScored, day.Scored), max(c.MostSuspect, day.Suspect)
	}
	step := chartWidth / float64(len(days))
	for i, day := range days {
		high := scoredHigh * float64(day.Scored) / float64(max(c.MostScored, 1))
		c.Bars = append(c.Bars, Bar{
			Title: fmt.Sprintf("%s: %d invoices, %d flagged", day.Date, day.Scored, day.Suspect),
			X:     float64(i) * step, Width: step * 0.8, Y: scoredBase - high, High: high,
			FlaggedY: flaggedBase, FlaggedHigh: flaggedHigh * float64(day.Suspect) / float64(max(c.MostSuspect, 1)),
		})
	}
	return c
}

// page serves the live figures on the loopback interface.
type page struct {
	server *http.Server
	url    string
}

// servePage starts serving what view returns on addr, which must be of the
// loopback interface; port 0 takes a free one.
func servePage(addr string, view func() View) (*page, error) {
	if err := checkLoopback(addr); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve the page: %w", err)
	}
	handler, err := pageHandler(view)
	if err != nil {
		return nil, err
	}
	p := &page{
		server: &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second},
		url:    "http://" + listener.Addr().String() + "/",
	}
	go func() { _ = p.server.Serve(listener) }() // ends with close
	return p, nil
}

// checkLoopback refuses addresses that other machines can reach.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("cannot serve the page on %q: give a loopback address such as 127.0.0.1:0", addr)
	}
	return nil
}

// close stops serving; open connections are cut.
func (p *page) close() { _ = p.server.Close() }

// pageHandler returns the routes of the page.
func pageHandler(view func() View) (http.Handler, error) {
	pages, err := template.New("page.html").Funcs(template.FuncMap{
		"thousands": thousands,
		"whole":     whole,
		"percent":   func(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" },
		"perSecond": func(rate float64) string { return thousands(int(rate + 0.5)) },
	}).ParseFS(web, "web/page.html")
	if err != nil {
		return nil, fmt.Errorf("cannot read the page's template: %w", err)
	}
	render := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			var body bytes.Buffer
			if err := pages.ExecuteTemplate(&body, name, view()); err != nil {
				http.Error(w, "cannot show the page: "+err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(body.Bytes()) // a reader that left needs no answer
		}
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", render("page.html"))
	routes.HandleFunc("GET /live", render("live"))
	for _, file := range []string{"page.css", "page.js"} {
		routes.HandleFunc("GET /"+file, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, web, "web/"+file)
		})
	}
	return guard(routes), nil
}

// guard sets the page's policy, and refuses other names of this address: a web
// site must not read the page through a name of its own that leads here.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "cannot serve this name; open the page by its loopback address", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
