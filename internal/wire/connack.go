package wire

// ConnackCode is the answer to a CONNECT (OASIS MQTT 3.1.1, table 3.1).
type ConnackCode uint8

// The codes, with what makes the server answer them. ConnackUnsupported is MQTT 5's code for an unsupported
// version (MQTT 5.0, 3.2.2.2): its clients fall back to 3.1.1 when they see it.
const (
	ConnackAccepted      ConnackCode = 0
	ConnackBadVersion    ConnackCode = 1    // not MQTT 3.1.1
	ConnackBadClientID   ConnackCode = 2    // malformed client id, or empty without a clean session
	ConnackUnavailable   ConnackCode = 3    // stopping, overloaded, or too many from one address
	ConnackBadLogin      ConnackCode = 4    // unknown user name or wrong token
	ConnackNotAuthorized ConnackCode = 5    // no credentials where they are needed, printer removed or disabled
	ConnackUnsupported   ConnackCode = 0x84 // to an MQTT 5 client
)
