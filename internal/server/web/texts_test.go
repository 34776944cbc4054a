package web

import (
	"testing"
)

func TestBadText(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":"b"}`:                            "",
		`{"a":"\\u0000"}`:                      "", // a backslash and u0000
		`{"a":"\\\u0000"}`:                     "body.a",
		`{"a":"x\u0000"}`:                      "body.a",
		`{"items":[{"n":"x"},{"n":"\u0000"}]}`: "body.items[1].n",
		`["\u0000"]`:                           "body[0]",
		`"\u0000"`:                             "body",
		`{"x":{"\u0000":1}}`:                   "body.x",
		"{\"a\":\"\xff\"}":                     "body.a",
		"{\"a\":\"\ufffd\"}":                   "", // U+FFFD itself is a character
		"{\"x\":[\"\xed\xa0\x80\"]}":           "body.x[0]",
		"\xff":                                 "body",
		`{"a":"\ud800"}`:                       "", // read as U+FFFD
		`{"a":"\u0000"`:                        "body.a",
		`{`:                                    "",
		`{"a":1,"b":2,"a":1}`:                  "body.a",
		`{"a":1,"\u0061":2}`:                   "body.a",
		`{"x":[{"n":1},{"n":2,"n":3}]}`:        "body.x[1].n",
		`{"a":{"b":1},"c":{"b":1}}`:            "",
		``:                                     "",
	} {
		got := ""
		if bad := badText([]byte(body)); bad != nil {
			got = bad.Location
		}
		if got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

func FuzzBadText(f *testing.F) {
	for _, seed := range []string{`{"a":"\u0000"}`, "[\"\xff\"]", `{"a":{"b":["\\u0000"]}}`, "\x00", `{"\u0000":""}`, `{"a":"b","a":"c"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v map[string]string
		if jsonFormat.Unmarshal(body, &v) != nil {
			return
		}
		for name, value := range v {
			for _, r := range name + value {
				if r == 0 {
					t.Errorf("%q is let in with a NUL", body)
				}
			}
		}
	})
}
