package wire

import "strings"

// Kind is what a topic is for. A device owns exactly one topic of each kind.
type Kind uint8

// The kinds of topic. The direction decides the rights: a device publishes what FromDevice tells and subscribes the rest.
const (
	KindNone         Kind = iota // no topic of ours
	KindStatus                   // octoprint/status/{id}: snapshot, or a bare OctoPrint state event
	KindEvent                    // octoprint/event/{id}: what happened, QoS 1, stored before it is acknowledged
	KindFiles                    // octoprint/files/{id}: the device's own file tree
	KindPresence                 // device/{id}/presence: online or not, also the Last Will
	KindTime                     // device/{id}/time: asks for the server's clock
	KindControlReply             // control/{id}/result: what became of a command
	KindGcodeOut                 // octoprint/gcode_out/{id}: result of a file transfer (published plugin)
	KindCameraState              // camera/{id}/state
	KindRegistered               // device/{id}/registration/ack
	KindTransfer                 // device/{id}/transfer: how far a file is on its way
	KindTerminal                 // device/{id}/terminal: OctoPrint's terminal, while somebody looks at it
	KindUnattributed             // octoprint/progress, temperature, gcode: no id in it, ignored

	KindControl      // control/{id}: a command
	KindGcodeIn      // octoprint/gcode_in/{id}: a file transfer (published plugin)
	KindCamera       // camera/{id}/cmd
	KindRegistration // device/{id}/registration
	KindTimeReply    // device/{id}/time/reply
	KindWatch        // device/{id}/watch: whether somebody looks
)

// FromDevice tells whether a device publishes this kind; otherwise it subscribes it.
func (k Kind) FromDevice() bool { return k >= KindStatus && k <= KindUnattributed }

// ToDevice tells whether the server publishes this kind to the device.
func (k Kind) ToDevice() bool { return k >= KindControl }

// Topic writes the topic of a kind for a device.
func (k Kind) Topic(uuid string) string {
	switch k {
	case KindStatus:
		return "octoprint/status/" + uuid
	case KindEvent:
		return "octoprint/event/" + uuid
	case KindFiles:
		return "octoprint/files/" + uuid
	case KindPresence:
		return "device/" + uuid + "/presence"
	case KindTime:
		return "device/" + uuid + "/time"
	case KindTimeReply:
		return "device/" + uuid + "/time/reply"
	case KindTransfer:
		return "device/" + uuid + "/transfer"
	case KindTerminal:
		return "device/" + uuid + "/terminal"
	case KindWatch:
		return "device/" + uuid + "/watch"
	case KindControl:
		return "control/" + uuid
	case KindControlReply:
		return "control/" + uuid + "/result"
	case KindGcodeIn:
		return "octoprint/gcode_in/" + uuid
	case KindGcodeOut:
		return "octoprint/gcode_out/" + uuid
	case KindCamera:
		return "camera/" + uuid + "/cmd"
	case KindCameraState:
		return "camera/" + uuid + "/state"
	case KindRegistration:
		return "device/" + uuid + "/registration"
	case KindRegistered:
		return "device/" + uuid + "/registration/ack"
	}
	return ""
}

// ParseTopic tells what a topic is for and whose it is. The first level of status, event, files and gcode topics
// may be any single non-empty level (the published plugin's topic_prefix); wildcards make it KindNone.
// The UUID is empty for KindNone and KindUnattributed. It does not allocate.
func ParseTopic(topic string) (Kind, string) {
	if len(topic) > MaxTopic {
		return KindNone, ""
	}
	first, rest, ok := strings.Cut(topic, "/")
	if !ok || first == "" || strings.ContainsAny(topic, "+#\x00") {
		return KindNone, ""
	}
	second, third, more := strings.Cut(rest, "/")
	switch first {
	case "control":
		if !ValidUUID(second) {
			break
		}
		if !more {
			return KindControl, second
		}
		if third == "result" {
			return KindControlReply, second
		}
		return KindNone, ""
	case "camera":
		if !ValidUUID(second) {
			break
		}
		switch third {
		case "cmd":
			return KindCamera, second
		case "state":
			return KindCameraState, second
		}
		return KindNone, ""
	case "device":
		if !ValidUUID(second) {
			break
		}
		switch third {
		case "presence":
			return KindPresence, second
		case "time":
			return KindTime, second
		case "time/reply":
			return KindTimeReply, second
		case "watch":
			return KindWatch, second
		case "transfer":
			return KindTransfer, second
		case "terminal":
			return KindTerminal, second
		case "registration":
			return KindRegistration, second
		case "registration/ack":
			return KindRegistered, second
		}
		return KindNone, ""
	}
	if !more {
		switch second {
		case "progress", "temperature", "gcode":
			return KindUnattributed, ""
		}
		return KindNone, ""
	}
	if !ValidUUID(third) {
		return KindNone, ""
	}
	switch second {
	case "status":
		return KindStatus, third
	case "event":
		return KindEvent, third
	case "files":
		return KindFiles, third
	case "gcode_in":
		return KindGcodeIn, third
	case "gcode_out":
		return KindGcodeOut, third
	}
	return KindNone, ""
}
