package mail

// Kind is what a mail says.
type Kind string

// The kinds, with the data that each shows.
const (
	KindVerify          Kind = "verify"           // Link
	KindSignupTaken     Kind = "signup_taken"     // Link (to log in)
	KindReset           Kind = "reset"            // Link
	KindPasswordChanged Kind = "password_changed" // Link (to the forgotten password)
	KindEmailConfirm    Kind = "email_confirm"    // Link
	KindEmailTaken      Kind = "email_taken"      // –
	KindEmailChanging   Kind = "email_changing"   // NewEmail
	KindEmailChanged    Kind = "email_changed"    // NewEmail
	KindInvitation      Kind = "invitation"       // Link, InvitedBy
	KindMember          Kind = "member"           // Link, InvitedBy, Workspace
	KindTest            Kind = "test"             // –
)

// text is what one kind says in one language. {{.Name}} is where the data of that name goes.
type text struct {
	Subject, Title string
	Lines          []string
	Button         string // over the link, where the data has one
	After          []string
}

var texts = map[string]map[Kind]text{"ko": korean, "en": english}

var footers = map[string]string{
	"ko": "3D 프린터를 어디서든 지켜보는 FACTOR가 보냈습니다. 이 주소로는 답장을 받지 않습니다.",
	"en": "Sent by FACTOR, which watches your 3D printers from anywhere. Nobody reads replies to this address.",
}

var english = map[Kind]text{
	KindVerify: {
		Subject: "Confirm your e-mail address",
		Title:   "Confirm your e-mail address",
		Lines:   []string{"Somebody signed up to FACTOR with this address. If it was you, follow the link and your account is ready."},
		Button:  "Confirm address",
		After:   []string{"The link works once, for 24 hours.", "If it was not you, do nothing: no account comes to be."},
	},
	KindSignupTaken: {
		Subject: "You already have a FACTOR account",
		Title:   "You already have an account",
		Lines:   []string{"Somebody signed up to FACTOR with this address, which has an account already. If it was you, simply log in. Nothing about your account was changed."},
		Button:  "Log in",
		After:   []string{"Forgotten your password? The log-in page helps.", "If it was not you, do nothing."},
	},
	KindReset: {
		Subject: "Choose a new password",
		Title:   "Choose a new password",
		Lines:   []string{"Somebody asked for a new password for the FACTOR account with this address. If it was you, follow the link to choose one."},
		Button:  "Choose a new password",
		After:   []string{"The link works once, for one hour. You will be signed out everywhere.", "If it was not you, do nothing: your password stays as it is."},
	},
	KindPasswordChanged: {
		Subject: "Your password was changed",
		Title:   "Your password was changed",
		Lines:   []string{"The password of your FACTOR account was changed just now."},
		Button:  "It was not me: choose a new password",
		After:   []string{"If it was you, do nothing."},
	},
	KindEmailConfirm: {
		Subject: "Confirm your new e-mail address",
		Title:   "Confirm your new e-mail address",
		Lines:   []string{"A FACTOR account is to use this address from now on. Follow the link to confirm it."},
		Button:  "Confirm address",
		After:   []string{"The link works once, for 24 hours.", "If you have not asked for this, do nothing."},
	},
	KindEmailTaken: {
		Subject: "Your address was entered for another account",
		Title:   "Your address was entered for another account",
		Lines:   []string{"Somebody wanted to use this address for another FACTOR account. It already belongs to yours, so nothing was changed."},
		After:   []string{"If it was you: delete this account first, or choose another address."},
	},
	KindEmailChanging: {
		Subject: "Your e-mail address is about to change",
		Title:   "Your e-mail address is about to change",
		Lines:   []string{"Your FACTOR account is to use the address {{.NewEmail}} from now on, once that is confirmed there."},
		After:   []string{"If you have not asked for this, log in and change your password now."},
	},
	KindEmailChanged: {
		Subject: "Your e-mail address was changed",
		Title:   "Your e-mail address was changed",
		Lines:   []string{"Your FACTOR account now uses the address {{.NewEmail}}. This one does not open it any more."},
		After:   []string{"If you have not asked for this, tell the operator of this server at once."},
	},
	KindInvitation: {
		Subject: "Your invitation to FACTOR",
		Title:   "You are invited to FACTOR",
		Lines:   []string{"{{.InvitedBy}} invites you to watch and control your 3D printers with FACTOR."},
		Button:  "Sign up",
		After:   []string{"The link works once, for 7 days."},
	},
	KindMember: {
		Subject: "Printers were shared with you",
		Title:   "Printers were shared with you",
		Lines:   []string{"{{.InvitedBy}} asks you to join the workspace “{{.Workspace}}”."},
		Button:  "Answer",
		After:   []string{"Nothing is shared until you say yes. The question stays open for 14 days."},
	},
	KindTest: {
		Subject: "Test mail from FACTOR",
		Title:   "It works",
		Lines:   []string{"This mail was sent to see whether FACTOR can send mails. It can."},
	},
}
