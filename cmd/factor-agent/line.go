package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The command line is read here and not by a library such as the server's: those call methods by names that are made up
// at run time, for which the linker must keep every exported method of everything that is linked. That is 3 MB more
// of a program that has to be small in RAM.

// command is a word of the command line with its options.
type command struct {
	name, help string
	more       string // in the command's own help, below its usage
	hidden     bool
	options    []option
	rivals     [][]string // of each, one option at most may be given
	run        func() error
}

// option is `--name`. It is taken from FACTOR_AGENT_NAME, too, when the command line and its rivals do not have it.
type option struct {
	name, help string
	value      *string // where its value goes; what is there already is the default
	on         *bool   // for one without a value
	needed     bool    // it or one of its rivals
	oneOf      []string
}

// errHelp says that help was asked for.
var errHelp = errors.New("help")

const envPrefix = "FACTOR_AGENT_"

func (o *option) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// set takes a value from the command line or the environment, which is where.
func (o *option) set(where, value string) error {
	if o.on != nil {
		switch strings.ToLower(value) {
		case "true", "1", "yes":
			*o.on = true
		case "false", "0", "no", "":
			*o.on = false
		default:
			return fmt.Errorf("%s must be true or false but got %q", where, value)
		}
		return nil
	}
	if o.oneOf != nil && !slices.Contains(o.oneOf, value) {
		return fmt.Errorf("%s must be one of %s but got %q", where, strings.Join(o.oneOf, ", "), value)
	}
	*o.value = value
	return nil
}

// choose finds the command that args begin with and reads the rest into it. With errHelp the command is nil when help
// about the whole program was asked for.
func choose(commands []*command, args []string, env func(string) (string, bool)) (*command, error) {
	if len(args) > 0 && isHelp(args[0]) {
		return nil, errHelp
	}
	var names []string
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			return c, c.read(args[1:], env)
		}
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	expected := "expected one of " + strings.Join(names, ", ")
	if len(args) > 0 {
		return nil, fmt.Errorf("%s but got %q", expected, args[0])
	}
	return nil, errors.New(expected)
}

func isHelp(arg string) bool { return arg == "-h" || arg == "--help" || arg == "-help" }

// read takes the options of a command.
func (c *command) read(args []string, env func(string) (string, bool)) error {
	if slices.ContainsFunc(args, isHelp) {
		return errHelp
	}
	given := map[string]bool{}
	for len(args) > 0 {
		name, isOption := strings.CutPrefix(args[0], "--")
		if !isOption {
			return fmt.Errorf("unexpected argument %s", args[0])
		}
		name, value, hasValue := strings.Cut(name, "=")
		o := c.option(name)
		if o == nil {
			return fmt.Errorf("unknown flag --%s", name)
		}
		args = args[1:]
		switch {
		case hasValue:
		case o.on != nil:
			value = "true"
		case len(args) == 0 || strings.HasPrefix(args[0], "--"):
			return fmt.Errorf("--%s needs a value", name)
		default:
			value, args = args[0], args[1:]
		}
		if err := o.set("--"+name, value); err != nil {
			return err
		}
		given[name] = true
	}
	typed := maps.Clone(given)
	for i := range c.options {
		o := &c.options[i]
		value, ok := env(o.env())
		if !ok || value == "" || slices.ContainsFunc(c.alternatives(o), func(name string) bool { return typed[name] }) {
			continue
		}
		if err := o.set(o.env(), value); err != nil {
			return err
		}
		given[o.name] = true
	}
	return c.check(given)
}

func (c *command) option(name string) *option {
	for i := range c.options {
		if c.options[i].name == name {
			return &c.options[i]
		}
	}
	return nil
}

// alternatives are an option and its rivals.
func (c *command) alternatives(o *option) []string {
	for _, group := range c.rivals {
		if slices.Contains(group, o.name) {
			return group
		}
	}
	return []string{o.name}
}

// check tells which options exclude each other and which are missing.
func (c *command) check(given map[string]bool) error {
	var missing []string
	for i := range c.options {
		o := &c.options[i]
		group := c.alternatives(o)
		have := slices.DeleteFunc(slices.Clone(group), func(name string) bool { return !given[name] })
		if len(have) > 1 {
			return fmt.Errorf("--%s cannot be used together", strings.Join(have, " and --"))
		}
		if o.needed && len(have) == 0 && group[0] == o.name {
			missing = append(missing, "--"+strings.Join(group, " or --"))
		}
	}
	if missing != nil {
		return fmt.Errorf("missing: %s", strings.Join(missing, ", "))
	}
	return nil
}
