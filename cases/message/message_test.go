package message

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

const cent = invoice.Unit / 100

var rewrite = flag.Bool("rewrite", false, "write the drafts into testdata")

// A17, A18, A19, E13: every draft, word for word, in both languages and all channels.
func TestDrafts(t *testing.T) {
	templates := Embedded()
	for _, lang := range languages {
		var all strings.Builder
		for _, subject := range subjects {
			for _, channel := range channels {
				f := sample(lang, channel, subject)
				f.What = map[string]string{French: "la virgule d'un prix est décalée",
					English: "the comma of a price has moved"}[lang]
				f.Options[1].Schedule = []invoice.Amount{834 * cent, 833 * cent, 833 * cent}
				draft, err := templates.Draft(f)
				if err != nil {
					t.Fatal(err)
				}
				all.WriteString("==== " + draft.Template + "\n\n" + draft.Body + "\n\n")
				for _, o := range draft.Objections {
					all.WriteString("---- " + o.Objection + "\n\n" + o.Answer + "\n\n")
				}
			}
		}
		file := filepath.Join("testdata", lang+".txt")
		if *rewrite {
			if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if all.String() != string(want) {
			t.Errorf("the drafts in %s are\n%s\nwant those of %s (-rewrite accepts what was drafted)", lang, all.String(), file)
		}
	}
}

// A15, A17, A21, D5, E13: the texts of this package pass the checks that those of users do,
// and the checks see: each part left out is named, and so are words that blame or press.
func TestUsersTextsAreChecked(t *testing.T) {
	whole, err := embedded.ReadFile("templates/en/undercharge.phone.txt")
	if err != nil {
		t.Fatal(err)
	}
	type change struct{ name, old, new, says string }
	changes := []change{
		{"blame", "It is nothing you did.", "It was your mistake.", `"your mistake" blames or presses`},
		{"pressure", "Leave time to think", "You must pay immediately", `"You must pay" blames or presses`},
		{"a field nobody fills", "{{.Billed}}", "{{.CustomerName}}", "CustomerName"},
		{"a slip in the braces", "{{.Billed}}", "{{.Billed}", "bad character"},
		{"a part nobody knows", "[thanks]", "[greeting]", "[greeting] is not known"},
		{"a part twice", "[listen]", "[thanks]", "[thanks] stands twice"},
	}
	for _, part := range append(slices.Clone(Parts), "listen", "restate") {
		_, rest, _ := strings.Cut(string(whole), "["+part+"]")
		text, _, _ := strings.Cut(rest, "\n[")
		changes = append(changes, change{"without " + part, "[" + part + "]" + text, "",
			"[" + part + "] is missing or empty"},
			change{"empty " + part, "[" + part + "]" + text, "[" + part + "]\n", "[" + part + "] is missing or empty"})
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(string(whole), c.old) {
				t.Fatalf("the template has no %q", c.old)
			}
			dir := folder(t, "en/undercharge.phone.txt", strings.Replace(string(whole), c.old, c.new, 1))
			if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.says) ||
				!strings.Contains(err.Error(), "en/undercharge.phone") {
				t.Errorf("Load says %v, want %q of en/undercharge.phone", err, c.says)
			}
		})
	}
}

// A user's file replaces the one of its name, and no other; a misspelt name is said.
func TestUsersTextsReplace(t *testing.T) {
	own := "[thanks]\nThanks!\n[admission]\nOurs.\n[apology]\nSorry.\n[explanation]\n{{.Due}}\n[solution]\nAsk us.\n" +
		"[guarantee]\nNever again.\n[questions]\nAsk.\n"
	templates, err := Load(folder(t, "en/undercharge.email.txt", own))
	if err != nil {
		t.Fatal(err)
	}
	draft, err := templates.Draft(sample(English, Email, Undercharge))
	if err != nil || draft.Body != "Thanks!\n\nOurs.\n\nSorry.\n\n25.00 EUR\n\nAsk us.\n\nNever again.\n\nAsk." {
		t.Errorf("draft %+v, %v", draft, err)
	}
	other, err := templates.Draft(sample(French, Email, Undercharge))
	same, err2 := Embedded().Draft(sample(French, Email, Undercharge))
	if err != nil || err2 != nil || other.Body != same.Body {
		t.Errorf("the French text changed: %v, %v", err, err2)
	}
	if _, err := Load(folder(t, "en/undercharge.mail.txt", own)); err == nil ||
		!strings.Contains(err.Error(), "en/undercharge.mail.txt") {
		t.Errorf("a misspelt name: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there was read")
	}
}

// folder writes one file into a folder of templates and returns the folder.
func folder(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, lang := range languages {
		if err := os.Mkdir(filepath.Join(dir, lang), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// D1: amounts nobody has confirmed are marked, in every sentence that has them.
func TestAmountsToConfirmAreMarked(t *testing.T) {
	for lang, mark := range map[string]string{French: "25,00\u00a0EUR [à confirmer]",
		English: "25.00 EUR [to be confirmed]"} {
		f := sample(lang, Email, Undercharge)
		f.Confirmed = false
		draft, err := Embedded().Draft(f)
		if err != nil || strings.Count(draft.Body, mark) != 5 { // the difference and four options
			t.Errorf("%s: %d marks, %v\n%s", lang, strings.Count(draft.Body, mark), err, draft.Body)
		}
	}
}

// D1: what nobody has checked or decided yet is marked wherever a text says it was, in
// every template; and no template says so without.
func TestWhatNobodyHasDoneIsMarked(t *testing.T) {
	marks := map[string][2]string{French: {" [à vérifier d'abord]", " [à décider d'abord]"},
		English: {" [to be checked first]", " [to be decided first]"}}
	for lang, mark := range marks {
		for _, subject := range subjects {
			for _, channel := range channels {
				f := sample(lang, channel, subject)
				done, err := Embedded().Draft(f)
				f.Verified, f.Decided = false, false
				open, err2 := Embedded().Draft(f)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				for _, m := range mark {
					if strings.Contains(done.Body, m) {
						t.Errorf("%s: %q although it is done\n%s", done.Template, m, done.Body)
					}
				}
				said := open.Body
				for _, o := range open.Objections {
					said += "\n" + o.Answer
				}
				checked := regexp.MustCompile(`fait vérifier la cause|est vérifiée|s'applique à cette facture|cause checked|` +
					`being checked|applies to this invoice`)
				decided := regexp.MustCompile(`(établissons un avoir|issuing a credit note) (de|of) 25[.,]00[ \x{a0}]EUR`)
				for m, claim := range map[string]*regexp.Regexp{mark[0]: checked, mark[1]: decided} {
					marked := 0
					for _, at := range claim.FindAllStringIndex(said, -1) {
						if marked++; !strings.HasPrefix(said[at[1]:], m) {
							t.Errorf("%s says %q without %q", open.Template, said[at[0]:at[1]], m)
						}
					}
					if marked == 0 && (m == mark[0] || subject == Overcharge) {
						t.Errorf("%s claims nothing:\n%s", open.Template, said)
					}
				}
			}
		}
	}
}

func TestNoDraftOfWhatIsNotKnown(t *testing.T) {
	for _, f := range []*Facts{sample("de", Email, Undercharge), sample(French, "fax", Undercharge),
		sample(French, Email, "reminder")} {
		if draft, err := Embedded().Draft(f); err == nil {
			t.Errorf("drafted %+v", draft)
		}
	}
}

// Of a duplicate nothing is due: no draft asks for the rest, or for 0.00 instead.
func TestNothingIsDue(t *testing.T) {
	for lang, want := range map[string]string{French: "rien n'est dû [à confirmer]",
		English: "although nothing is due [to be confirmed]"} {
		for _, channel := range channels {
			f := sample(lang, channel, Overcharge)
			f.Billed, f.Due, f.Correct, f.Confirmed = 25*invoice.Unit, 25*invoice.Unit, 0, false
			draft, err := Embedded().Draft(f)
			if err != nil || !strings.Contains(draft.Body, want) || strings.Contains(draft.Body, " 0.00") ||
				strings.Contains(draft.Body, " 0,00") || strings.Contains(draft.Body, "orrected amount") ||
				strings.Contains(draft.Body, "montant corrigé") {
				t.Errorf("%v\n%s", err, draft.Body)
			}
		}
	}
}

// A17: a letter in French has the typography of one: spaces that break no line, days and
// thousands as they are written; in English thousands, too.
func TestTypography(t *testing.T) {
	f := sample(French, Email, Undercharge)
	f.IssuedAt = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	f.Billed, f.Correct = -1234567*cent-invoice.Unit, 100_000_012*cent
	draft, err := Embedded().Draft(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"du 22\u00a0novembre 2026", "-12\u00a0346,67\u00a0EUR",
		"1\u00a0000\u00a0000,12\u00a0EUR", "Objet\u00a0: ", "Ce qui s'est passé\u00a0: x"} {
		if !strings.Contains(draft.Body, want) {
			t.Errorf("no %q in\n%s", want, draft.Body)
		}
	}
	for _, text := range []string{draft.Body, draft.Objections[0].Objection, draft.Objections[1].Objection,
		draft.Objections[0].Answer} {
		if broken := regexp.MustCompile(`« | [:;!?»%]`).FindString(text); broken != "" {
			t.Errorf("a line may break at %q in %s", broken, text)
		}
	}
	f.Lang, f.IssuedAt = English, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	if draft, err = Embedded().Draft(f); err != nil || !strings.Contains(draft.Body, "1,000,000.12 EUR") {
		t.Errorf("English: %v\n%s", err, draft.Body)
	}
	if got := frenchDay(f.IssuedAt); got != "1er\u00a0mars 2026" {
		t.Errorf("1 March is %q", got)
	}
}

func TestLanguageOf(t *testing.T) {
	for country, want := range map[string]string{"FR": French, "BE": French, "GB": English, "": English} {
		if got := LanguageOf(country); got != want {
			t.Errorf("language of %q is %s, want %s", country, got, want)
		}
	}
}
