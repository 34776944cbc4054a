package line

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

type rooms struct {
	Lamp bool `help:"Light."`
}

type kitchen struct {
	rooms
	Oven  int      `short:"o" env:"LINE_TEST_OVEN" default:"180" placeholder:"°C" help:"How hot."`
	Food  string   `name:"food" env:"LINE_TEST_FOOD" required:"" enum:"soup,bread" help:"What."`
	Spice []string `name:"spice" env:"LINE_TEST_SPICE" help:"With what."`
	Time  float64  `default:"1.5"`
	Seed  uint64   `default:"1"`
	Cook  string   `arg:"" help:"Who."`
}

func (k *kitchen) Validate() error {
	if k.Oven > 300 {
		return Tell("--oven: it burns", "--oven: 탑니다")
	}
	return nil
}

type everywhere struct {
	Config string `name:"config"`
}

func parse(file map[string]string, args string) (*kitchen, *everywhere, error) {
	k, all := &kitchen{}, &everywhere{}
	l := Line{Name: "house", Help: "A house.", Options: all, File: func() (map[string]string, error) { return file, nil }, Commands: []*Command{
		{Name: "cook", Help: "In it.", Commands: []*Command{{Name: "dinner", Help: "In the evening.", Options: k}, {Name: "lunch", Help: "At noon."}}},
		{Name: "clean", Help: "It."},
	}}
	_, err := l.Parse(strings.Fields(args))
	return k, all, err
}

var hangul = regexp.MustCompile(`\p{Hangul}`)

func TestParse(t *testing.T) {
	for args, want := range map[string]kitchen{
		"cook dinner --food soup ann":                                    {Oven: 180, Food: "soup", Time: 1.5, Seed: 1, Cook: "ann"},
		"cook dinner --food=bread ann --lamp":                            {Oven: 180, Food: "bread", Time: 1.5, Seed: 1, Cook: "ann", rooms: rooms{Lamp: true}},
		"cook dinner --lamp ann --food bread -o 5":                       {Oven: 5, Food: "bread", Time: 1.5, Seed: 1, Cook: "ann", rooms: rooms{Lamp: true}},
		"cook dinner --lamp off --food bread -o5 ann":                    {Oven: 5, Food: "bread", Time: 1.5, Seed: 1, Cook: "ann"},
		"cook dinner --lamp=yes -o=-5 --food bread ann":                  {Oven: -5, Food: "bread", Time: 1.5, Seed: 1, Cook: "ann", rooms: rooms{Lamp: true}},
		"cook dinner --spice a,b --spice c ann --food soup":              {Oven: 180, Food: "soup", Time: 1.5, Seed: 1, Cook: "ann", Spice: []string{"a", "b", "c"}},
		"cook dinner --time 2 --seed 18446744073709551615 --food soup -": {Oven: 180, Food: "soup", Time: 2, Seed: 1<<64 - 1, Cook: "-"},
	} {
		got, _, err := parse(nil, args)
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v %v, want %+v", args, *got, err, want)
		}
	}
	for _, args := range []string{"--config x cook dinner --food soup ann", "cook --config=x dinner --food soup ann", "cook dinner --food soup ann --config x"} {
		got, all, err := parse(nil, args)
		if err != nil || all.Config != "x" || got.Cook != "ann" {
			t.Errorf("%s: %+v %+v %v", args, got, all, err)
		}
	}
}

func TestParse_LineBeforeEnvironmentBeforeFile(t *testing.T) {
	file := map[string]string{"food": "soup", "oven": "1", "spice": "salt,oil", "seed": "7", "else": "is of another command"}
	t.Setenv("LINE_TEST_OVEN", "2")
	t.Setenv("LINE_TEST_SPICE", "dill")
	got, _, err := parse(file, "cook dinner ann --spice mint")
	if err != nil || got.Food != "soup" || got.Oven != 2 || got.Seed != 7 || !reflect.DeepEqual(got.Spice, []string{"mint"}) {
		t.Errorf("%+v %v", got, err)
	}
	t.Setenv("LINE_TEST_OVEN", "hot")
	if _, _, err := parse(file, "cook dinner ann"); err == nil || !strings.Contains(err.Error(), "LINE_TEST_OVEN") {
		t.Errorf("a wrong variable: %v", err)
	}
	if _, _, err := parse(file, "cook dinner ann -o 2"); err != nil {
		t.Errorf("a wrong variable that does not count: %v", err)
	}
}

func TestParse_Refused(t *testing.T) {
	for args, want := range map[string]string{
		"":                                         "expected one of cook, clean",
		"cook":                                     "expected one of dinner, lunch",
		"dance":                                    `"dance"`,
		"cook supper":                              `"cook supper"`,
		"cook dinner ann":                          "missing: --food=TEXT",
		"cook dinner --food soup":                  "missing: <cook>",
		"cook dinner --food":                       "--food needs a value",
		"cook dinner --food --lamp":                "--food needs a value",
		"cook dinner --food glue ann":              "--food: must be one of soup, bread",
		"cook dinner --food soup ann bob":          `unexpected argument "bob"`,
		"cook dinner --foot soup ann":              "--foot. Do you mean --food?",
		"cook dinner --zzz ann":                    "no option --zzz",
		"cook dinner --zzz=secret ann":             "no option --zzz",
		"cook dinner -z ann":                       "no option -z",
		"cook dinner --food soup ann -o hot":       "--oven: ",
		"cook dinner --food soup ann --seed -1":    "--seed: ",
		"cook dinner --food soup ann --time long":  "--time: ",
		"cook dinner --food soup ann --lamp=maybe": "--lamp: ",
		"cook dinner --food soup ann --oven 301":   "it burns",
		"cook dinner --food soup ann -o 9999999999999999999": "--oven: ",
	} {
		_, _, err := parse(nil, args)
		if korean := InKorean(err); err != nil && (!hangul.MatchString(korean) || strings.Contains(korean, "%!") || strings.Contains(korean, "secret")) {
			t.Errorf("%q: in Korean %q", args, korean)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

type door struct {
	Key    string `env:"LINE_TEST_KEY" required:"" help:"Opens it."`
	Code   string `env:"LINE_TEST_CODE" instead:"key" help:"Opens it, too."`
	Knock  int    `env:"LINE_TEST_KNOCK"`
	Bell   bool   `instead:"knock"`
	Window bool
}

func enter(file map[string]string, args string) (*door, error) {
	d := &door{}
	l := Line{Name: "house", File: func() (map[string]string, error) { return file, nil }, Commands: []*Command{
		{Name: "enter", Help: "It.", More: "First this.\n\n" + strings.Repeat("그리고 ", 40), Options: d}, {Name: "haunt", Help: "By night.", Hidden: true},
	}}
	_, err := l.Parse(strings.Fields(args))
	return d, err
}

func TestParse_OneInsteadOfAnother(t *testing.T) {
	for _, c := range []struct {
		args, env string
		file      map[string]string
		want      door
	}{
		{args: "--key a", want: door{Key: "a"}},
		{args: "--code b --bell", want: door{Code: "b", Bell: true}},
		{env: "LINE_TEST_CODE=b", want: door{Code: "b"}},
		{args: "--key a", env: "LINE_TEST_CODE=b LINE_TEST_KNOCK=2", want: door{Key: "a", Knock: 2}},
		{args: "--code b --window", env: "LINE_TEST_KEY=a LINE_TEST_KNOCK=", want: door{Code: "b", Window: true}},
		{args: "--bell", env: "LINE_TEST_KEY=a LINE_TEST_KNOCK=2", want: door{Key: "a", Bell: true}},
		{args: "--key a", file: map[string]string{"code": "b", "bell": "on"}, want: door{Key: "a", Bell: true}},
	} {
		t.Run(c.args+c.env, func(t *testing.T) {
			for _, set := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(set, "=")
				t.Setenv(name, value)
			}
			if got, err := enter(c.file, "enter "+c.args); err != nil || *got != c.want {
				t.Errorf("%+v %v, want %+v", *got, err, c.want)
			}
		})
	}
	for args, want := range map[string]string{
		"enter":                           "missing: --key=TEXT or --code=TEXT",
		"enter --key a --code b":          "--key, --code cannot be used together",
		"enter --code b --bell --knock 2": "--knock, --bell cannot be used together",
		"enter --key= --code b":           "cannot be used together",
		"leave":                           "expected one of enter",
	} {
		if _, err := enter(nil, args); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "haunt") {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	t.Setenv("LINE_TEST_KEY", "a")
	t.Setenv("LINE_TEST_CODE", "b")
	if _, err := enter(nil, "enter"); err == nil {
		t.Error("both are in the environment, and one is taken")
	}
	if _, err := enter(nil, "haunt"); err != nil {
		t.Errorf("a hidden command: %v", err)
	}
}

func TestHelp_More(t *testing.T) {
	_, err := enter(nil, "enter --help")
	help, _ := errors.AsType[Help](err)
	if !strings.Contains(string(help), "--key=TEXT|--code=TEXT") || !strings.Contains(string(help), "\nFirst this.\n\n그리고") {
		t.Errorf("%s", help)
	}
	for l := range strings.Lines(string(help)) {
		if cells(strings.TrimSuffix(l, "\n")) > width {
			t.Errorf("a line is too long: %s", l)
		}
	}
	_, err = enter(nil, "--help")
	if help, ok := errors.AsType[Help](err); !ok || strings.Contains(string(help), "haunt") {
		t.Errorf("a hidden command is listed: %v %s", err, help)
	}
}

func TestHelp(t *testing.T) {
	for args, wants := range map[string][]string{
		"--help":                             {"Usage: house <command>", "--config=TEXT", "cook dinner", "At noon.", "clean"},
		"cook -h":                            {"Usage: house cook <command>", "cook lunch"},
		"cook dinner --help":                 {"Usage: house cook dinner --food=TEXT <cook>", "Who.", "-o, --oven=°C", "(180 by default)", "($LINE_TEST_OVEN)", "--lamp"},
		"cook dinner --food soup ann --help": {"Usage: house cook dinner"},
		"clean --help":                       {"Usage: house clean"},
	} {
		_, _, err := parse(nil, args)
		help, ok := errors.AsType[Help](err)
		if !ok {
			t.Errorf("%s: %v", args, err)
		}
		for _, want := range wants {
			if !strings.Contains(string(help), want) {
				t.Errorf("%s: %q is not in\n%s", args, want, help)
			}
		}
		for l := range strings.Lines(string(help)) {
			if len([]rune(l)) > width+1 {
				t.Errorf("%s: a line is too long: %s", args, l)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"cook dinner -o5 --food soup ann", "--config", "cook --help", "- -- -= --= --lamp on", "cook dinner --spice ,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, args string) {
		if k, _, err := parse(nil, args); err == nil && strings.HasPrefix(args, "cook dinner") && (k.Cook == "" || k.Food == "") {
			t.Errorf("%q is taken without what is needed: %+v", args, k)
		}
	})
}
