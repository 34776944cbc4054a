package mail

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// letter is a text with its places filled in, as the layouts show it.
type letter struct {
	Language, Subject, Title string
	Lines                    []string
	Button, Link             string
	After                    []string
	Footer, Home             string
}

// Test sends a mail to the address at once and waits for the mail server's word. Errors: *SendError with the step.
func (s *Sender) Test(ctx context.Context, to, language string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	msg, err := s.compose(id.String(), Mail{Kind: KindTest, To: to, Language: language})
	if err != nil {
		return &SendError{Step: StepRecipient, Err: err}
	}
	return s.deliver(ctx, msg)
}

// compose makes the message: plain text, the same as HTML, and headers that say a program wrote it (RFC 3834).
func (s *Sender) compose(id string, m Mail) (*gomail.Msg, error) {
	l, err := s.fill(m)
	if err != nil {
		return nil, err
	}
	to, err := mail.ParseAddress(m.To)
	if err != nil || to.Name != "" {
		return nil, fmt.Errorf("compose a mail: the recipient is not an address")
	}
	msg := gomail.NewMsg()
	msg.FromMailAddress(&s.from)
	msg.ToMailAddress(&mail.Address{Address: to.Address})
	msg.Subject(l.Subject)
	msg.SetDateWithValue(s.Now())
	msg.SetMessageIDWithValue(id + "@" + s.from.Address[strings.LastIndexByte(s.from.Address, '@')+1:])
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetBodyString(gomail.TypeTextPlain, l.plain())
	msg.AddAlternativeString(gomail.TypeTextHTML, l.html())
	return msg, nil
}

// fill puts the data into the text of the mail's kind and language.
func (s *Sender) fill(m Mail) (letter, error) {
	language := "en"
	if m.Language == "ko" {
		language = "ko"
	}
	t, ok := texts[language][m.Kind]
	if !ok {
		return letter{}, fmt.Errorf("compose a mail: no text for %q", m.Kind)
	}
	l := letter{Language: language, Button: t.Button, Link: m.Data["Link"], Home: s.PublicURL}
	var err error
	put := func(text string) string {
		var out string
		if err == nil {
			out, err = place(text, m.Data)
		}
		return out
	}
	l.Subject = put(t.Subject)
	l.Title = put(t.Title)
	for _, line := range t.Lines {
		l.Lines = append(l.Lines, put(line))
	}
	for _, line := range t.After {
		l.After = append(l.After, put(line))
	}
	l.Footer = put(footers[language])
	return l, err
}

// place fills data into a text. What people chose (names, addresses) loses line breaks and control characters, so
// that it can neither add a header nor pretend to be another paragraph.
func place(text string, data map[string]string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{.")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, _ := strings.Cut(rest, "}}")
		value, ok := data[name]
		if !ok {
			return "", fmt.Errorf("compose a mail: its data has no %s", name)
		}
		out.WriteString(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
				return ' '
			}
			return r
		}, value))
		text = after
	}
}
