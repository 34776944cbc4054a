package line

import (
	"encoding"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// option is a field that the command line fills.
type option struct {
	name, short, env, help string
	instead                string // of which option
	placeholder, initial   string
	enum                   []string
	required, arg          bool
	value                  reflect.Value
	given                  bool
}

func newOption(field reflect.StructField, value reflect.Value) *option {
	tag := func(name string) string { return field.Tag.Get(name) }
	has := func(name string) bool { _, ok := field.Tag.Lookup(name); return ok }
	o := &option{
		name: tag("name"), short: tag("short"), env: tag("env"), help: tag("help"), instead: tag("instead"), placeholder: tag("placeholder"), initial: tag("default"),
		required: has("required") || has("arg"), arg: has("arg"), value: value,
	}
	if o.name == "" {
		o.name = strings.ToLower(field.Name)
	}
	if has("enum") {
		o.enum = strings.Split(tag("enum"), ",")
	}
	return o
}

// take sets the value. Of what was given before, a list grows and everything else is replaced; where says in an error
// which of an option's places was wrong.
func (o *option) take(where, text string) error {
	if o.value.Kind() == reflect.Slice && !o.given {
		o.value.SetZero()
	}
	o.given = true
	if err := o.set(text); err != nil {
		return At(where, err)
	}
	return nil
}

func (o *option) set(text string) error {
	if o.enum != nil && !slices.Contains(o.enum, text) {
		return Tell("must be one of %s, not %q", "%s 가운데 하나여야 합니다(지금 %q)", strings.Join(o.enum, ", "), text)
	}
	if u, ok := o.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch o.value.Kind() {
	case reflect.String:
		o.value.SetString(text)
	case reflect.Bool:
		on, ok := OnOff(text)
		if !ok {
			return Tell("%q is neither on nor off", "%q: on이나 off가 아닙니다", text)
		}
		o.value.SetBool(on)
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, strconv.IntSize)
		if err != nil {
			return Tell("%q is no whole number", "%q: 정수가 아닙니다", text)
		}
		o.value.SetInt(n)
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return Tell("%q is no whole number from 0 up", "%q: 0 이상의 정수가 아닙니다", text)
		}
		o.value.SetUint(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return Tell("%q is no number", "%q: 숫자가 아닙니다", text)
		}
		o.value.SetFloat(f)
	case reflect.Slice: // of texts
		if text != "" {
			o.value.Set(reflect.AppendSlice(o.value, reflect.ValueOf(strings.Split(text, ","))))
		}
	default:
		return errors.New("an option cannot be of the type " + o.value.Type().String())
	}
	return nil
}

// rivals are the option and those that take its place.
func (o *option) rivals(options []*option) []*option {
	head := o.name
	if o.instead != "" {
		head = o.instead
	}
	var all []*option
	for _, r := range options {
		if r == o || r.name == head || r.instead == head {
			all = append(all, r)
		}
	}
	return all
}

func givenOf(options []*option) map[*option]bool {
	given := map[*option]bool{}
	for _, o := range options {
		given[o] = o.given
	}
	return given
}

func anyOf(options []*option, in map[*option]bool) bool {
	return slices.ContainsFunc(options, func(o *option) bool { return in[o] })
}

// isSwitch tells whether the option stands without a value.
func (o *option) isSwitch() bool { return o.value.Kind() == reflect.Bool }

// OnOff reads what people write for a switch.
func OnOff(s string) (on, known bool) {
	switch strings.ToLower(s) {
	case "on", "true", "yes", "1":
		return true, true
	case "off", "false", "no", "0":
		return false, true
	}
	return false, false
}

// usage is how the option is written.
func (o *option) usage() string {
	switch {
	case o.arg:
		return "<" + o.name + ">"
	case o.isSwitch():
		return "--" + o.name
	case o.placeholder != "":
		return "--" + o.name + "=" + o.placeholder
	case o.initial != "":
		return "--" + o.name + "=" + o.initial
	}
	return "--" + o.name + "=TEXT"
}
