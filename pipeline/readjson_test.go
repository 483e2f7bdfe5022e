package pipeline

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/jsonrecord"
	"recoup/detectors"
	"recoup/invoice"
)

// What cases, decisions and markers may say is read as encoding/json reads it, whatever fields
// they get.
func TestRecordsAreReadAsWritten(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 3))
	for range 300 {
		readsAlike[Decision](t, draw)
		readsAlike[cases.Case](t, draw)
		readsAlike[caseHead](t, draw)
		readsAlike[marker](t, draw)
	}
}

func readsAlike[T any](t *testing.T, draw *rand.Rand) {
	t.Helper()
	var written, got, want T
	fillAnyhow(draw, reflect.ValueOf(&written).Elem(), 6)
	text, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := jsonrecord.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\nis read as %+v,\nwant %+v", text, got, want)
	}
}

// fillAnyhow draws something for each field, so deep at most.
func fillAnyhow(draw *rand.Rand, v reflect.Value, deep int) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = oneOf(draw, time.Time{}, time.Unix(draw.Int64N(4e9), draw.Int64N(1e9)).UTC(), time.Unix(0, 0).In(
			time.FixedZone("", 60*draw.IntN(840))))
		return
	case *json.RawMessage:
		*p = oneOf(draw, nil, json.RawMessage(`{"a":[1,"<\u00e9",null]}`), json.RawMessage(`null`))
		return
	case *invoice.Stage:
		*p = invoice.Stage(draw.IntN(2))
		return
	case *detectors.Delay:
		*p = detectors.Delay(time.Duration(draw.IntN(1e6)) * time.Millisecond)
		return
	case *invoice.Type:
		*p = invoice.Type(draw.IntN(2))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(draw.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		least := int64(-1) << (v.Type().Bits() - 1)
		v.SetInt(oneOf(draw, 0, 1, -1, least, -(least + 1)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(oneOf[uint64](draw, 0, 1, math.MaxUint64>>(64-v.Type().Bits())))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(oneOf(draw, 0, -1.5, 1e-9, 1e22, draw.NormFloat64(), math.Copysign(0, -1)))
	case reflect.String:
		v.SetString(oneOf(draw, "", "a", `été "\/`, "\u2028<>&", "\x00\x1f\n", "😀", "\xff bad", `\u0041`))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fillAnyhow(draw, v.Field(i), deep-1)
			}
		}
	default:
		if deep > 0 && draw.IntN(4) > 0 {
			fillMany(draw, v, deep)
		}
	}
}

// fillMany is fillAnyhow of what holds others, or none.
func fillMany(draw *rand.Rand, v reflect.Value, deep int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAnyhow(draw, v.Elem(), deep-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), draw.IntN(3), 3))
		for i := range v.Len() {
			fillAnyhow(draw, v.Index(i), deep-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillAnyhow(draw, key, deep-1)
		fillAnyhow(draw, value, deep-1)
		v.SetMapIndex(key, value)
	default:
		panic("nothing is drawn for " + v.Type().String() + " yet")
	}
}

func oneOf[T any](draw *rand.Rand, all ...T) T { return all[draw.IntN(len(all))] }
