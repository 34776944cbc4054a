// Package line reads a command line into structs whose fields say by their tags what they are: an option a field.
//
//	Port int `name:"port" short:"p" env:"FACTOR_PORT" default:"80" placeholder:"N" help:"Where it listens."`
//
// required:"" is for an option without which the command cannot do, enum:"a,b" for one of few words, arg:"" for a word
// without an option's name; instead:"port" for one that takes the place of another, so that one of them at most may be
// given, and one is enough. A field without a name is called as in Go, in small letters. An option's value comes from the
// command line, else from the environment (unless it is empty there), else from the settings file, else it is the default.
//
// A library for this would call the commands' methods by names that are made up at run time, for which the linker has
// to keep every exported method of everything in the program: 6 MB that nobody calls.
package line

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Command is a word of the command line.
type Command struct {
	Name, Help string
	More       string     // paragraphs below the command's own help
	Hidden     bool       // not listed: for programs, not for people
	Commands   []*Command // either these
	Options    any        // or a pointer to a struct with the options; where it has a Validate, that is called once they are read
	Run        func() error

	words []string // of the whole command, such as user add
}

// Line is a program's command line.
type Line struct {
	Name, Help string
	Commands   []*Command
	Options    any // a pointer to a struct with the options of every command
	// File reads the settings file that Options name by now, into values by the names of options.
	File func() (map[string]string, error)
}

// Help is the error of a command line that asks for help: the text to show.
type Help string

func (Help) Error() string { return "help" }

// Parse finds the command that args name and reads the rest into its options.
func (l *Line) Parse(args []string) (*Command, error) {
	var rest []string // of args, without the words of the command
	var command *Command
	choice, words := l.Commands, []string(nil)
	global, err := optionsOf(l.Options)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(args) && len(choice) > 0; i++ {
		arg := args[i]
		if isHelp(arg) {
			return nil, l.help(command, words)
		}
		if strings.HasPrefix(arg, "-") { // what belongs to every command may stand before it
			rest = append(rest, arg)
			if o, _, hasValue := find(global, arg); o != nil && !hasValue && !o.isSwitch() && i+1 < len(args) {
				i++
				rest = append(rest, args[i])
			}
			continue
		}
		next := named(choice, arg)
		if next == nil {
			return nil, Tell("there is no command %q: expected one of %s", "%q 명령은 없습니다. 다음 가운데 하나입니다: %s", strings.Join(append(words, arg), " "), names(choice))
		}
		words = append(words, arg)
		command, choice = next, next.Commands
		if len(choice) == 0 {
			rest = append(rest, args[i+1:]...)
		}
	}
	if command == nil || len(choice) > 0 {
		return nil, Tell("expected one of %s", "다음 가운데 하나가 필요합니다: %s", names(choice))
	}
	command.words = words
	own, err := optionsOf(command.Options)
	if err != nil {
		return nil, err
	}
	return command, l.read(command, append(global, own...), rest)
}

func named(list []*Command, name string) *Command {
	for _, c := range list {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func names(list []*Command) string {
	var names []string
	for _, c := range list {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

func isHelp(arg string) bool { return arg == "-h" || arg == "--help" || arg == "-help" }

// read gives every option its value.
func (l *Line) read(c *Command, options []*option, args []string) error {
	if err := typed(options, args, func() error { return l.help(c, c.words) }); err != nil {
		return err
	}
	typed := givenOf(options)
	for _, o := range options {
		if err := o.fromEnvironment(options, typed); err != nil {
			return err
		}
	}
	if l.File != nil {
		values, err := l.File()
		if err != nil {
			return err
		}
		for _, o := range options {
			if value, ok := values[o.name]; ok && !slices.ContainsFunc(o.rivals(options), func(r *option) bool { return r.given }) {
				if err := o.take("--"+o.name+" (in the settings file)", value); err != nil {
					return err
				}
			}
		}
	}
	if err := complete(options); err != nil {
		return err
	}
	if v, ok := c.Options.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// complete tells which options exclude each other and which are missing.
func complete(options []*option) error {
	var missing []string
	for _, o := range options {
		var given, any []string
		for _, r := range o.rivals(options) {
			any = append(any, r.usage())
			if r.given {
				given = append(given, "--"+r.name)
			}
		}
		if len(given) > 1 {
			return Tell("%s cannot be used together", "함께 쓸 수 없습니다: %s", strings.Join(given, ", "))
		}
		if o.required && given == nil {
			missing = append(missing, strings.Join(any, " or "))
		}
	}
	if missing != nil {
		return Tell("missing: %s", "빠졌습니다: %s", strings.Join(missing, ", "))
	}
	return nil
}

// typed reads what stands on the command line.
func typed(options []*option, args []string, help func() error) error {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if isHelp(arg) {
			return help()
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			o := argument(options)
			if o == nil {
				return Tell("unexpected argument %q", "알 수 없는 인자 %q", arg)
			}
			if err := o.take(o.usage(), arg); err != nil {
				return err
			}
			continue
		}
		o, value, hasValue := find(options, arg)
		if o == nil {
			name, _, _ := strings.Cut(arg, "=")
			return unknown(name, options)
		}
		switch {
		case hasValue:
		case o.isSwitch():
			value = "on"
			// A word after the bare switch belongs to it only where it says on or off; else it is the next argument.
			if len(args) > 0 {
				if _, ok := OnOff(args[0]); ok {
					value, args = args[0], args[1:]
				}
			}
		case len(args) == 0 || strings.HasPrefix(args[0], "--"):
			return Tell("--%s needs a value", "--%s에 값이 필요합니다", o.name)
		default:
			value, args = args[0], args[1:]
		}
		if err := o.take("--"+o.name, value); err != nil {
			return err
		}
	}
	return nil
}

// find gives the option that an argument names, and the value that it holds behind = or, of a short one, at once.
func find(options []*option, arg string) (o *option, value string, hasValue bool) {
	name, long := strings.CutPrefix(arg, "--")
	if !long {
		name = strings.TrimPrefix(arg, "-")
	}
	name, value, hasValue = strings.Cut(name, "=")
	for _, o := range options {
		switch {
		case o.arg:
		case long && o.name == name:
			return o, value, hasValue
		case !long && o.short != "" && o.short == name:
			return o, value, hasValue
		case !long && !hasValue && o.short != "" && strings.HasPrefix(name, o.short):
			return o, name[len(o.short):], true
		}
	}
	return nil, "", false
}

// argument gives the first that has no value yet.
func argument(options []*option) *option {
	for _, o := range options {
		if o.arg && !o.given {
			return o
		}
	}
	return nil
}

// unknown names the option that was most likely meant.
func unknown(name string, options []*option) error {
	names := make([]string, 0, len(options))
	for _, o := range options {
		names = append(names, "--"+o.name)
	}
	if near := Nearest(name, names); near != "" {
		return Tell("there is no option %s. Do you mean %s?", "%s 옵션은 없습니다. 혹시 %s인가요?", name, near)
	}
	return Tell("there is no option %s", "%s 옵션은 없습니다", name)
}

// Nearest gives of the known names the one that was most likely meant, or "".
func Nearest(name string, known []string) string {
	best, score := "", 0
	for _, k := range known {
		same := 0
		for same < len(k) && same < len(name) && k[same] == name[same] {
			same++
		}
		if same > score {
			best, score = k, same
		}
	}
	letters := score - len(best) + len(strings.TrimLeft(best, "-"))
	if letters >= 3 || (letters >= 2 && len(best) <= 4) {
		return best
	}
	return ""
}

// optionsOf lists the fields of a struct, and of those inside of it, in their order.
func optionsOf(to any) ([]*option, error) {
	if to == nil {
		return nil, nil
	}
	v := reflect.ValueOf(to)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%T holds no options", to)
	}
	return fields(v.Elem(), nil)
}

func fields(v reflect.Value, list []*option) ([]*option, error) {
	for field, value := range v.Fields() {
		_, inside := field.Tag.Lookup("embed")
		if field.Anonymous || inside {
			var err error
			if list, err = fields(value, list); err != nil {
				return nil, err
			}
			continue
		}
		o := newOption(field, value)
		if value, ok := field.Tag.Lookup("default"); ok {
			if err := o.set(value); err != nil {
				return nil, fmt.Errorf("the default of --%s: %w", o.name, err)
			}
		}
		list = append(list, o)
	}
	return list, nil
}

// fromEnvironment takes the value from there, unless one of its rivals was typed.
func (o *option) fromEnvironment(options []*option, typed map[*option]bool) error {
	value := os.Getenv(o.env) // of no name: ""
	if value == "" || anyOf(o.rivals(options), typed) {
		return nil
	}
	return o.take("--"+o.name+" (in "+o.env+")", value)
}
