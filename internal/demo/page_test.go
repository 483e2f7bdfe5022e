package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

func verdict(id string, suspect bool, loss invoice.Amount) *detectors.Verdict {
	v := &detectors.Verdict{
		InvoiceID: id, Suspect: suspect, Currency: "GBP", Billed: 100_0000, Expected: 120_0000,
		Loss: detectors.Loss{Point: loss}, Decision: detectors.DecisionNone,
		Model: detectors.Model{Version: detectors.ModelVersion},
	}
	if suspect {
		v.Decision = detectors.DecisionOpenCase
		v.Rules = []string{"billing_system:sum_mismatch"}
		v.Causes = []detectors.Finding{{
			Code: detectors.CauseBillingSystem, Kind: "sum_mismatch", Repaired: 150_0000,
			Evidence: []string{`lines add up to <script>alert("150")</script>`},
		}}
	}
	return v
}

func testTally() *tally {
	t := newTally(time.Now(), map[string]string{
		"1": "2011-05-18", "<b>2</b>": "2011-05-18", "3": "2011-05-19", "4": "2011-05-19",
	})
	t.observe(verdict("1", false, 0))
	t.observe(verdict("<b>2</b>", true, 50_0000))
	v := verdict("3", true, -20_0000)
	v.Model.Version = "trained-x"
	t.observe(v)
	return t
}

// What is in the data reaches the page as text, never as markup.
func TestPageEscapesData(t *testing.T) {
	summary := &Summary{Lines: []SummaryLine{{"Recall", "<i>all</i>", "1"}}, Note: "<u>note</u>"}
	figures := testTally()
	handler, err := pageHandler(func() View {
		f := figures.figures()
		return View{Figures: f, Chart: chart(f.Days), Summary: summary, Queries: []string{"curl '<x>'"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	for _, path := range []string{"/", "/live"} {
		body, response := get(t, server.URL+path)
		for _, markup := range []string{"<b>2", "<script>alert", "<i>all", "<u>note", "'<x>'"} {
			if strings.Contains(body, markup) {
				t.Errorf("%s contains %q unescaped", path, markup)
			}
		}
		for _, text := range []string{"&lt;b&gt;2", "billing_system:sum_mismatch", "<td>billing_system</td>", "trained-x",
			"2011-05-18: 2 invoices, 1 flagged"} {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not contain %q:\n%s", path, text, body)
			}
		}
		if got := response.Header.Get("Content-Security-Policy"); got != policy || strings.Contains(got, "unsafe") {
			t.Errorf("%s: policy %q", path, got)
		}
		if strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
			t.Errorf("%s has inline style or script, which its own policy forbids", path)
		}
	}
	for _, path := range []string{"/page.css", "/page.js"} {
		if body, _ := get(t, server.URL+path); len(body) < 100 {
			t.Errorf("%s is missing", path)
		}
	}
}

// A web site must not read the page through a name of its own.
func TestPageRefusesForeignNames(t *testing.T) {
	handler, err := pageHandler(func() View { return View{} })
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"127.0.0.1:8080": http.StatusOK, "localhost:8080": http.StatusOK, "[::1]:8080": http.StatusOK,
		"evil.example:8080": http.StatusForbidden, "evil.example": http.StatusForbidden,
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Host = host
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("host %s: status %d, want %d", host, answer.Code, want)
		}
	}
}

// The page is served on the loopback interface only, on a free port when asked.
func TestServePage(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "nowhere"} {
		if p, err := servePage(addr, func() View { return View{} }); err == nil {
			p.close()
			t.Errorf("serves on %q", addr)
		}
	}
	p, err := servePage("127.0.0.1:0", func() View { return View{Figures: testTally().figures()} })
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := get(t, p.url); !strings.Contains(body, "Invoices scored") ||
		!strings.Contains(body, "<h2>Flagged</h2>") || strings.Contains(body, "Error rate") {
		t.Errorf("page: %s", body)
	}
	p.close()
	if _, err := http.Get(p.url); err == nil {
		t.Error("still served after close")
	}
}

func get(t *testing.T, url string) (string, *http.Response) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(body), response
}
