package message

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"recoup/invoice"
)

//go:embed templates/fr/*.txt templates/en/*.txt
var embedded embed.FS

// Parts are the seven parts that every message has (A17).
var Parts = []string{"thanks", "admission", "apology", "explanation", "solution", "guarantee", "questions"}

// steps are the six steps of T.E.C.R.E.P. (E13) and the parts that may take each: a
// conversation listens and restates by parts of its own.
var steps = []struct {
	name  string
	parts []string
}{
	{"listen", []string{"listen", "questions"}},
	{"restate", []string{"restate", "admission"}},
	{"sympathise", []string{"apology"}},
	{"thank", []string{"thanks"}},
	{"evaluate", []string{"explanation"}},
	{"propose", []string{"solution"}},
}

// offers and objections are the sections of the files of these names.
var (
	offers     = []string{"immediate_payment", "instalments", "offset_next_order", "goodwill"}
	objections = []string{"promotion", "why_pay"}
)

// ending is the part of an objection's name that holds the answer.
const ending = "_answer"

// Templates are all texts, ready to be filled. They may be used concurrently.
type Templates struct {
	files map[string]file // by name without ending: fr/undercharge.email
}

// file is one template: its sections in the order they are written.
type file []section

type section struct {
	name string
	text *template.Template
}

// Embedded returns the texts of this package.
func Embedded() *Templates {
	t, err := load(nil)
	if err != nil {
		panic("the embedded templates are not right: " + err.Error()) // a test has read them
	}
	return t
}

// Load returns the texts of this package with those of a user's folder in their
// place: dir/fr/undercharge.email.txt replaces the file of that name. "" means no
// folder. The error names every file that is not right and what it lacks.
func Load(dir string) (*Templates, error) {
	if dir == "" {
		return load(nil)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("cannot read message templates: want a folder with fr and en below it, %q is none", dir)
	}
	return load(os.DirFS(dir))
}

// load reads the embedded files, each from over where it is there.
func load(over fs.FS) (*Templates, error) {
	t := &Templates{files: map[string]file{}}
	var wrong []error
	for _, lang := range languages {
		for _, name := range names() {
			name = lang + "/" + name
			text, err := fs.ReadFile(embedded, "templates/"+name+".txt")
			if over != nil {
				if own, ownErr := fs.ReadFile(over, name+".txt"); ownErr == nil {
					text = own
				} else if !errors.Is(ownErr, fs.ErrNotExist) {
					err = ownErr
				}
			}
			if err != nil {
				return nil, fmt.Errorf("cannot read message template %s: %w", name, err)
			}
			if t.files[name], err = parse(name, string(text)); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	if over != nil {
		wrong = append(wrong, strangers(over)...)
	}
	if len(wrong) == 0 {
		wrong = t.check()
	}
	return t, errors.Join(wrong...)
}

// names are those of the files of one language.
func names() []string {
	list := []string{"options", "objections"}
	for _, subject := range subjects {
		for _, channel := range channels {
			list = append(list, subject+"."+channel)
		}
	}
	return list
}

// strangers finds files of a user that replace nothing: a misspelt name.
func strangers(over fs.FS) (wrong []error) {
	for _, lang := range languages {
		entries, err := fs.ReadDir(over, lang)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			wrong = append(wrong, fmt.Errorf("cannot read message templates of %s: %w", lang, err))
		}
		for _, e := range entries {
			if name, isText := strings.CutSuffix(e.Name(), ".txt"); isText && !slices.Contains(names(), name) {
				wrong = append(wrong, fmt.Errorf("cannot use message template %s: want one of %q with the ending .txt",
					path.Join(lang, e.Name()), names()))
			}
		}
	}
	return wrong
}

// heading is a line that begins a section: its name in brackets.
var heading = regexp.MustCompile(`^\[([a-z_]+)\]$`)

// parse splits a file into its sections. Lines before the first and those that begin
// with # are for whoever edits it.
func parse(name, text string) (file, error) {
	var sections file
	var body strings.Builder
	end := func() error {
		if len(sections) == 0 {
			return nil
		}
		last := &sections[len(sections)-1]
		t, err := template.New(name + " [" + last.name + "]").Parse(strings.TrimSpace(body.String()))
		last.text = t
		body.Reset()
		if err != nil {
			return fmt.Errorf("cannot use message template %s", strings.TrimPrefix(err.Error(), "template: "))
		}
		return nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if h := heading.FindStringSubmatch(strings.TrimSpace(line)); h != nil {
			if err := end(); err != nil {
				return nil, err
			}
			sections = append(sections, section{name: h[1]})
			continue
		}
		if !strings.HasPrefix(line, "#") {
			body.WriteString(line + "\n")
		}
	}
	if err := end(); err != nil {
		return nil, err
	}
	return sections, nil
}

// sample is what every template is filled with before it is used.
func sample(lang, channel, subject string) *Facts {
	f := &Facts{Lang: lang, Channel: channel, Subject: subject, Invoice: "F-417", Order: "O-12",
		IssuedAt: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), Currency: "EUR", Billed: 75 * invoice.Unit,
		Correct: 100 * invoice.Unit, Due: 25 * invoice.Unit, Confirmed: true, Verified: true, Decided: true,
		What: "x"}
	third := 25 * invoice.Unit / 3
	for _, name := range offers {
		f.Options = append(f.Options, Option{Name: name, Amount: f.Due, Schedule: []invoice.Amount{third, third, third},
			Cost: invoice.Unit})
	}
	return f
}

// check fills every template once and says what is wrong with the text: a part that
// is missing or empty, a step left out, words that blame or press.
func (t *Templates) check() (wrong []error) {
	for _, lang := range languages {
		wrong = append(wrong, t.checkSections(lang+"/options", offers)...)
		wrong = append(wrong, t.checkSections(lang+"/objections", answered(objections))...)
		for _, subject := range subjects {
			for _, channel := range channels {
				name := lang + "/" + subject + "." + channel
				problems := t.checkMessage(name, channel)
				if wrong = append(wrong, problems...); len(problems) > 0 {
					continue
				}
				draft, err := t.Draft(sample(lang, channel, subject))
				if err != nil {
					wrong = append(wrong, err)
					continue
				}
				text := draft.Body
				for _, o := range draft.Objections {
					text += "\n" + o.Answer
				}
				if found := unkind.FindString(text); found != "" {
					wrong = append(wrong, fmt.Errorf("cannot use message template %s: %q blames or presses the customer; "+
						"say what happened and what is offered", name, found))
				}
			}
		}
	}
	return wrong
}

// unkind are words that blame the customer or press for money (A15, A21, D5).
var unkind = regexp.MustCompile(`(?i)your (mistake|error|fault|negligence)|` +
	`you (should have|failed|forgot|neglected|must pay)|` +
	`(legal action|bailiff|debt collect|formal notice|immediately|without delay|final reminder)|` +
	`votre (erreur|faute|négligence|oubli)|vous (auriez dû|avez oublié|avez omis|devez payer)|` +
	`(huissier|mise en demeure|poursuites|recouvrement forcé|immédiatement|sans délai|dernier rappel)`)

// answered adds to each objection the section with its answer.
func answered(list []string) (all []string) {
	for _, name := range list {
		all = append(all, name, name+ending)
	}
	return all
}

// checkSections says which sections a file lacks, or has and should not have.
func (t *Templates) checkSections(name string, want []string) (wrong []error) {
	f := t.files[name]
	for _, part := range want {
		if f.section(part) == nil {
			wrong = append(wrong, fmt.Errorf("cannot use message template %s: [%s] is missing or empty", name, part))
		}
	}
	return append(wrong, f.unknown(name, want)...)
}

// checkMessage says which parts and steps a message lacks.
func (t *Templates) checkMessage(name, channel string) (wrong []error) {
	known := append(slices.Clone(Parts), "subject")
	want := slices.Clone(Parts)
	if channel != Email {
		known = append(known, "listen", "restate")
	}
	for _, part := range want {
		if t.files[name].section(part) == nil {
			wrong = append(wrong, fmt.Errorf("cannot use message template %s: the part [%s] is missing or empty; "+
				"a message has %q", name, part, Parts))
		}
	}
	for _, step := range steps {
		if channel != Email && len(step.parts) > 1 && t.files[name].section(step.parts[0]) == nil {
			wrong = append(wrong, fmt.Errorf("cannot use message template %s: the step [%s] is missing or empty; "+
				"a conversation listens and restates before it answers", name, step.parts[0]))
		}
	}
	return append(wrong, t.files[name].unknown(name, known)...)
}

func (f file) unknown(name string, known []string) (wrong []error) {
	for i, s := range f {
		if !slices.Contains(known, s.name) {
			wrong = append(wrong, fmt.Errorf("cannot use message template %s: [%s] is not known, want %q", name, s.name, known))
		}
		if slices.ContainsFunc(f[:i], func(before section) bool { return before.name == s.name }) {
			wrong = append(wrong, fmt.Errorf("cannot use message template %s: [%s] stands twice", name, s.name))
		}
	}
	return wrong
}

// section returns a section that has text, nil when there is none.
func (f file) section(name string) *template.Template {
	for _, s := range f {
		if s.name == name && strings.TrimSpace(s.text.Root.String()) != "" {
			return s.text
		}
	}
	return nil
}

// Draft fills the template for these facts: the same facts give the same text.
func (t *Templates) Draft(f *Facts) (*Draft, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	w := words{facts: f}
	for i := range f.Options {
		o := &f.Options[i]
		text := t.files[f.Lang+"/options"].section(o.Name)
		if text == nil { // a write-off is nothing to be offered
			continue
		}
		sentence, err := fill(text, offer{f, o})
		if err != nil {
			return nil, err
		}
		w.Options = append(w.Options, sentence)
	}
	d := &Draft{Lang: f.Lang, Channel: f.Channel, Template: f.Lang + "/" + f.Subject + "." + f.Channel,
		Objections: []Answer{}}
	var parts []string
	for _, s := range t.files[d.Template] {
		text, err := fill(s.text, w)
		if err != nil {
			return nil, err
		}
		if text == "" && slices.Contains(Parts, s.name) {
			return nil, fmt.Errorf("cannot draft a message by template %s: the part [%s] came out empty", d.Template, s.name)
		}
		parts = append(parts, text)
	}
	d.Body = typeset(f.Lang, strings.Join(parts, "\n\n"))
	if f.Subject == Undercharge { // nobody objects to money that comes back
		for _, name := range objections {
			var a Answer
			var err error
			if a.Objection, err = fill(t.files[f.Lang+"/objections"].section(name), w); err != nil {
				return nil, err
			}
			if a.Answer, err = fill(t.files[f.Lang+"/objections"].section(name+ending), w); err != nil {
				return nil, err
			}
			a.Objection, a.Answer = typeset(f.Lang, a.Objection), typeset(f.Lang, a.Answer)
			d.Objections = append(d.Objections, a)
		}
	}
	return d, nil
}

// fill writes one text.
func fill(t *template.Template, data any) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("cannot fill message template %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	return strings.TrimSpace(b.String()), nil
}
