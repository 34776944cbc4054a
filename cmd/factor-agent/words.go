package main

import (
	"errors"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
)

// words are what a person reads, in one language.
type words struct {
	askPassword string
	enrolled    string // name, uuid, server, its version, OctoPrint's version, folder
	renewed     string // the same
	notRunning  string // name, uuid, server, folder
	notEnrolled string
	inUse       string
	faults      map[enrol.Fault]string
	status      statusWords
}

// wordsFor chooses the language as programs do: LC_ALL, LC_MESSAGES, LANG.
func wordsFor(env func(string) string) *words {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			if strings.HasPrefix(v, "ko") {
				return &korean
			}
			break
		}
	}
	return &english
}

// explain says what went wrong and what to do, with the technical cause behind it.
func (w *words) explain(err error) string {
	var e *enrol.Error
	switch {
	case errors.As(err, &e):
		text := w.faults[e.Fault]
		if e.Err != nil && !errors.Is(e.Err, octoprint.ErrKeyRefused) {
			text += " (" + e.Err.Error() + ")"
		}
		return text
	case errors.Is(err, folder.ErrNotEnrolled):
		return w.notEnrolled
	case errors.Is(err, folder.ErrInUse):
		return w.inUse
	}
	return err.Error()
}

var english = words{
	askPassword: "Password: ",
	enrolled:    "%s is enrolled.\n  UUID       %s\n  server     %s (FACTOR %s)\n  OctoPrint  %s\nStart it with: factor-agent run --data %s",
	renewed:     "%s is enrolled again; everything known about it stays.\n  UUID       %s\n  server     %s (FACTOR %s)\n  OctoPrint  %s\nStart it with: factor-agent run --data %s",
	notRunning:  "The agent is not running.\n  printer  %s\n  UUID     %s\n  server   %s\nStart it with: factor-agent run --data %s",
	notEnrolled: "There is no finished enrolment in this folder. Enrol first: factor-agent enrol --help",
	inUse:       "Another agent already uses this folder. End that one first, or choose another folder with --data.",
	faults: map[enrol.Fault]string{
		enrol.FaultServerURL:       "--server must be the https:// address of your FACTOR server; http:// only works for a server on this machine.",
		enrol.FaultServerAway:      "The FACTOR server cannot be reached. Check --server and the network.",
		enrol.FaultCertificate:     "The server's certificate is not trusted. If the server made its own, give its CA with --ca FILE (from SERVER/ca.crt, fetched on a network you trust) or --ca-fingerprint.",
		enrol.FaultServerName:      "The server's name is not known on this network. Check the spelling and this machine's DNS, or use the server's IP address.",
		enrol.FaultExpired:         "The server's certificate has expired. The server's operator has to renew it.",
		enrol.FaultClock:           "This machine's clock is wrong, so no certificate is valid. Set the clock and try again.",
		enrol.FaultDisabled:        "This account is disabled. Ask whoever runs the server.",
		enrol.FaultCode:            "The code is wrong, used up or older than ten minutes. Make a new one on the page.",
		enrol.FaultFingerprint:     "The server's CA has another fingerprint than the one given: this may not be your server.",
		enrol.FaultNotFactor:       "This address answers, but not as a FACTOR server does. Check --server.",
		enrol.FaultCredentials:     "E-mail, password or API token are not right.",
		enrol.FaultUnverified:      "The account's e-mail is not verified yet: open the link in the mail from FACTOR first.",
		enrol.FaultSlowDown:        "Too many attempts. Wait a few minutes.",
		enrol.FaultTaken:           "This UUID belongs to another account. Leave --uuid away, or use an empty --data folder.",
		enrol.FaultRefused:         "The server refuses.",
		enrol.FaultOctoPrintURL:    "--octoprint must be the http:// or https:// address of OctoPrint.",
		enrol.FaultOctoPrintAway:   "OctoPrint cannot be reached. Check --octoprint, and that OctoPrint runs.",
		enrol.FaultOctoPrintKey:    "OctoPrint refuses the API key. Make one under OctoPrint's Settings → Application Keys.",
		enrol.FaultNotOctoPrint:    "This address answers, but not as OctoPrint does. Check --octoprint.",
		enrol.FaultUUID:            "--uuid is no device UUID.",
		enrol.FaultName:            "--name must have 1 to 100 characters.",
		enrol.FaultFolder:          "The --data folder cannot be used.",
		enrol.FaultNoAuthorization: "Give the password of the account on standard input, or an API token with --token.",
	},
	status: statusWords{
		title: "%s  %s  (agent %s, %s, %s of memory)\n", server: "server", octoprint: "OctoPrint", printer: "printer",
		queue: "events", errors: "lately", connected: "connected for %s by %s", away: "not connected for %s",
		attempts: ", %d attempts", watched: ", somebody is looking", since: "%s for %s",
		waiting: "%d waiting for the server (%s on disk)", none: "none waiting", times: "%s ago", often: "%d times",
		unwritten: ", %d of them only in memory: the disk takes none",
		health: map[string]string{"connecting": "connecting", "connected": "connected",
			"key_refused": "refuses the key: enrol again with a new one", "unreachable": "cannot be reached"},
	},
}

var korean = words{
	askPassword: "비밀번호: ",
	enrolled:    "%s 프린터를 등록했습니다.\n  UUID       %s\n  서버       %s (FACTOR %s)\n  OctoPrint  %s\n시작: factor-agent run --data %s",
	renewed:     "%s 프린터를 다시 등록했습니다. 기존 기록은 그대로입니다.\n  UUID       %s\n  서버       %s (FACTOR %s)\n  OctoPrint  %s\n시작: factor-agent run --data %s",
	notRunning:  "에이전트가 실행 중이 아닙니다.\n  프린터  %s\n  UUID    %s\n  서버    %s\n시작: factor-agent run --data %s",
	notEnrolled: "이 폴더에는 완료된 등록이 없습니다. 먼저 등록하세요: factor-agent enrol --help",
	inUse:       "다른 에이전트가 이 폴더를 쓰고 있습니다. 그 에이전트를 먼저 끝내거나 --data로 다른 폴더를 고르세요.",
	faults: map[enrol.Fault]string{
		enrol.FaultServerURL:       "--server에는 FACTOR 서버의 https:// 주소를 적어야 합니다. http://는 이 컴퓨터의 서버에만 쓸 수 있습니다.",
		enrol.FaultServerAway:      "FACTOR 서버에 연결할 수 없습니다. --server와 네트워크를 확인하세요.",
		enrol.FaultCertificate:     "서버 인증서를 신뢰할 수 없습니다. 서버가 직접 만든 인증서라면 --ca FILE(믿을 수 있는 네트워크에서 받은 서버주소/ca.crt)이나 --ca-fingerprint로 CA를 알려 주세요.",
		enrol.FaultServerName:      "이 네트워크에서 서버 이름을 찾을 수 없습니다. 철자와 이 컴퓨터의 DNS를 확인하거나 서버의 IP 주소를 쓰세요.",
		enrol.FaultExpired:         "서버 인증서가 만료되었습니다. 서버 운영자가 갱신해야 합니다.",
		enrol.FaultClock:           "이 컴퓨터의 시계가 틀려서 어떤 인증서도 유효하지 않습니다. 시계를 맞추고 다시 하세요.",
		enrol.FaultDisabled:        "사용이 중지된 계정입니다. 서버 운영자에게 문의하세요.",
		enrol.FaultCode:            "코드가 틀렸거나 이미 쓰였거나 10분이 지났습니다. 페이지에서 새로 만드세요.",
		enrol.FaultFingerprint:     "서버 CA의 지문이 입력한 것과 다릅니다. 당신의 서버가 아닐 수 있습니다.",
		enrol.FaultNotFactor:       "이 주소는 FACTOR 서버가 아닙니다. --server를 확인하세요.",
		enrol.FaultCredentials:     "이메일, 비밀번호 또는 API 토큰이 맞지 않습니다.",
		enrol.FaultUnverified:      "계정의 이메일이 아직 확인되지 않았습니다. FACTOR가 보낸 메일의 링크를 먼저 여세요.",
		enrol.FaultSlowDown:        "시도가 너무 많습니다. 몇 분 뒤에 다시 하세요.",
		enrol.FaultTaken:           "이 UUID는 다른 계정의 것입니다. --uuid를 빼거나 빈 --data 폴더를 쓰세요.",
		enrol.FaultRefused:         "서버가 거절했습니다.",
		enrol.FaultOctoPrintURL:    "--octoprint에는 OctoPrint의 http:// 또는 https:// 주소를 적어야 합니다.",
		enrol.FaultOctoPrintAway:   "OctoPrint에 연결할 수 없습니다. --octoprint와 OctoPrint가 실행 중인지 확인하세요.",
		enrol.FaultOctoPrintKey:    "OctoPrint가 API 키를 거부합니다. OctoPrint 설정 → Application Keys에서 키를 만드세요.",
		enrol.FaultNotOctoPrint:    "이 주소는 OctoPrint가 아닙니다. --octoprint를 확인하세요.",
		enrol.FaultUUID:            "--uuid가 기기 UUID 형식이 아닙니다.",
		enrol.FaultName:            "--name은 1자에서 100자까지입니다.",
		enrol.FaultFolder:          "--data 폴더를 쓸 수 없습니다.",
		enrol.FaultNoAuthorization: "계정 비밀번호를 표준 입력으로 주거나 --token으로 API 토큰을 주세요.",
	},
	status: statusWords{
		title: "%s  %s  (에이전트 %s, %s, 메모리 %s)\n", server: "서버", octoprint: "OctoPrint", printer: "프린터",
		queue: "이벤트", errors: "최근 문제", connected: "%s째 연결됨 (%s)", away: "%s째 연결되지 않음",
		attempts: ", %d번 시도", watched: ", 누군가 보고 있음", since: "%s (%s째)",
		waiting: "%d개가 서버를 기다림 (디스크 %s)", none: "기다리는 것 없음", times: "%s 전", often: "%d번",
		unwritten: ", 그중 %d개는 메모리에만 있음: 디스크에 쓸 수 없음",
		health: map[string]string{"connecting": "연결하는 중", "connected": "연결됨",
			"key_refused": "키를 거부함: 새 키로 다시 등록하세요", "unreachable": "연결할 수 없음"},
	},
}
