package jsonrecord

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has a field of every sort.
type sample struct {
	Text   string            `json:"text"`
	Named  word              `json:"named,omitempty"`
	Whole  int64             `json:"whole"`
	Int    int               `json:"int"`
	Hash   uint64            `json:"hash,omitzero"`
	Short  int8              `json:"short"`
	Part   float64           `json:"part"`
	Yes    bool              `json:"yes"`
	At     time.Time         `json:"at"`
	Big    bigger            `json:"big"`
	Words  []string          `json:"words"`
	Lists  [][]int64         `json:"lists"`
	Raw    json.RawMessage   `json:"raw,omitempty"`
	Bytes  []byte            `json:"bytes"`
	Self   *sample           `json:"self,omitempty"`
	Selves []sample          `json:"selves"`
	Maybe  *float64          `json:"maybe"`
	Map    map[string]string `json:"map"`
	Any    any               `json:"any"`
	Inner  inner             `json:"inner"`
	Bare   string
	Hidden string `json:"-"`
}

type word string

// bigger reads a text.
type bigger struct{ text string }

func (b *bigger) UnmarshalText(text []byte) error {
	if b.text = string(text); b.text == "no" {
		return fmt.Errorf("cannot read %q", text)
	}
	return nil
}

func (b bigger) MarshalText() ([]byte, error) { return []byte(b.text), nil }

// inner has fields with rules of their own.
type inner struct {
	deeper
	Quoted int `json:"quoted,string"`
}

type deeper struct {
	Text string `json:"text"`
}

// full says something in every field.
func full() sample {
	half := 0.5
	s := sample{Text: "été \"quoted\" \\ \n/", Named: "n", Whole: -1 << 63, Int: 12, Hash: 1<<64 - 1, Short: -128,
		Part: 1e-9,
		Yes:  true, At: time.Date(2026, 3, 1, 2, 3, 4, 5000, time.UTC), Big: bigger{"b"}, Words: []string{"a", "", "b"},
		Lists: [][]int64{{1, 2}, {}, nil}, Raw: json.RawMessage(`{"a":[1, "x\u00e9", null]}`), Bytes: []byte("bytes"),
		Selves: []sample{{Text: "one"}, {Words: []string{}}}, Maybe: &half, Map: map[string]string{"k": "v"}, Any: 1.5,
		Inner: inner{deeper{"deep"}, 7}, Bare: "bare"}
	s.Self = &sample{Text: "self"}
	return s
}

// agree reads a text both ways. What encoding/json refuses may be taken only where bent says
// so: the fast library takes moments that are written a little wrong.
func agree[T any](t *testing.T, text []byte, bent bool) {
	t.Helper()
	var got, want T
	gotErr, wantErr := Unmarshal(text, &got), json.Unmarshal(text, &want)
	if bent && gotErr == nil && wantErr != nil {
		return
	}
	if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Errorf("%q: error %v, want %v", text, gotErr, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q: got %+v, want %+v", text, got, want)
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whatever the text, the outcome is that of encoding/json, errors included.
func TestAgrees(t *testing.T) {
	for _, text := range []string{"", "null", "{}", " {} ", "{} x", "[]", "1", `"x"`, "{", `{"text"`, `{"text":}`,
		`{"text":"a",}`,
		`{"TEXT":"a"}`, `{"Text":"a","bare":"b"}`, `{"text":"a","text":"b"}`, `{"words":["a"],"words":["b","c"]}`,
		`{"text":null,"named":null,"whole":null,"yes":null,"at":null,"big":null,"words":null,"raw":null,"bytes":null,` +
			`"self":null,"maybe":null,"part":null,"inner":null,"hash":null,"any":null,"map":null}`,
		`{"text":"\u00e9\ud83d\ude00\ud83d"}`, "{\"text\":\"\xff\"}", "{\"text\":\"a\nb\"}", "{\"te\xffxt\":\"a\"}",
		`{"text":"\x"}`,
		"{\"unknown\":\"\xff\"}", `{"whole":1.0}`, `{"whole":1e2}`, `{"whole":01}`, `{"whole":-}`,
		`{"whole":9223372036854775808}`,
		`{"whole":"1"}`, `{"int":-0}`, `{"hash":-1}`, `{"hash":18446744073709551616}`, `{"short":128}`, `{"part":1e999}`,
		`{"part":.5}`, `{"part":5.}`, `{"part":1e}`, `{"part":-0.0}`, `{"part":"1"}`, `{"yes":tru}`, `{"yes":"true"}`,
		`{"at":"x"}`,
		`{"at":1}`, `{"at":"2026-03-01T02:03:04\u005a"}`, `{"big":"no"}`, `{"big":1}`, `{"big":"\u00e9\n"}`, `{"words":[]}`,
		`{"words":[ ]}`, `{"words":["a" , "b"]}`, `{"words":["a",]}`, `{"words":["a"`, `{"words":[1]}`, `{"words":{}}`,
		`{"bytes":"=="}`,
		`{"bytes":"YQ==\n"}`, `{"bytes":""}`, `{"bytes":[1]}`, `{"text":"\\u12"}`, `{"text":"\u12"}`, `{"text":"\u12G4"}`,
		`{"raw": [1 ,2] }`, `{"raw":01}`, `{"Hidden":"a","hidden":"b","-":"c"}`,
		`{"other":{"a":[{}, [], "\u00e9", -1.5e+3, true, false, null]},"text":"a"}`, `{"other":[1 2]}`, `{"other":nul}`,
		`{"\u0074ext":"a"}`, `{"inner":{"text":"a","quoted":"1"}}`, `{"inner":{"quoted":1}}`, "{\"text\":\"a\"}\x00",
		strings.Repeat("[", 300) + strings.Repeat("]", 300),
		`{"any":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`,
		strings.Repeat(`{"self":`, 300) + "{}" + strings.Repeat("}", 300), `{"ſelf":{}}`, "{\"\u212anown\":1}"} {
		agree[sample](t, []byte(text), false)
		agree[*sample](t, []byte(text), false)
		agree[[]sample](t, []byte("["+text+"]"), false)
		agree[map[string]sample](t, []byte(text), false)
	}
}

// What is bent anywhere comes to what encoding/json makes of it, if it takes it.
func TestAgreesOnBentTexts(t *testing.T) {
	text := encoded(t, full())
	agree[sample](t, text, false)
	rng := rand.New(rand.NewPCG(1, 2))
	const marks = `{}[]",:\ntf0-.e u` + "\x00\x1f\xc3"
	for at := range text {
		for _, c := range []byte(marks) {
			bent := append([]byte{}, text...)
			bent[at] = c
			agree[sample](t, bent, true)
		}
		agree[sample](t, text[:at], true)
		from := rng.IntN(at + 1)
		agree[sample](t, append(append([]byte{}, text[:from]...), text[at:]...), true)
	}
}

func FuzzAgrees(f *testing.F) {
	text, err := json.Marshal(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) { agree[sample](t, text, true) })
}

// A record that is too deep is wrong as encoding/json finds it, not the end of the process, nor
// all of its memory.
func TestDeepRecord(t *testing.T) {
	for _, n := range []int{mostDeep - 1, mostDeep, 1 << 18, 20 << 20} {
		text := []byte(`{"unknown":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}")
		var got, want sample
		gotErr, wantErr := Unmarshal(text, &got), json.Unmarshal(text, &want)
		if deep := n+1 > mostDeep; fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || deep != (gotErr != nil) {
			t.Errorf("%d brackets in an object: error %v, of encoding/json %v", n, gotErr, wantErr)
		}
	}
}
