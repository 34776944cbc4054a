package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/line"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/web/certs"
)

// checkPorts looks whether each port is ours already, free, or somebody else's.
func checkPorts(ctx context.Context, p *Patient) []Finding {
	var all []Finding
	for _, l := range []struct {
		setting string
		address config.Address
		running string
	}{
		{"http", p.Settings.HTTP, p.Run.HTTP}, {"https", p.Settings.HTTPS, p.Run.HTTPS},
		{"mqtts", p.Settings.MQTTS, p.Run.MQTTS}, {"mqtt", p.Settings.MQTT, p.Run.MQTT},
		{"webrtc", p.Settings.WebRTC, p.Run.WebRTC}, {"rtsp", p.Settings.RTSP, p.Run.RTSP},
	} {
		if l.address.Off() {
			continue
		}
		if p.Running && samePort(l.running, l.address) {
			all = append(all, good("port", fmt.Sprintf("--%s %s is served by the running FACTOR.", l.setting, l.address),
				fmt.Sprintf("--%s %s: 실행 중인 FACTOR가 사용하고 있습니다.", l.setting, l.address))...)
			continue
		}
		err := app.Probe(ctx, l.setting, l.address)
		switch {
		case err == nil:
			all = append(all, good("port", fmt.Sprintf("--%s %s is free.", l.setting, l.address), fmt.Sprintf("--%s %s: 비어 있습니다.", l.setting, l.address))...)
		case p.Running && app.IsSpare(l.setting, l.address, err):
			all = append(all, finding("port", Warning, fmt.Sprintf("--%s: port %s is taken by another program; the running FACTOR uses %s instead.", l.setting, l.address, l.running),
				fmt.Sprintf("--%s: 포트 %s을(를) 다른 프로그램이 쓰고 있어 실행 중인 FACTOR는 %s을(를) 씁니다.", l.setting, l.address, l.running), portCureEnglish, portCureKorean)...)
		case app.IsSpare(l.setting, l.address, err):
			all = append(all, finding("port", Warning, fmt.Sprintf("--%s: port %s is taken by another program; the server will use a free one, which no router or firewall knows.", l.setting, l.address),
				fmt.Sprintf("--%s: 포트 %s을(를) 다른 프로그램이 쓰고 있습니다. 서버는 비어 있는 포트를 쓰지만 공유기나 방화벽은 그 포트를 모릅니다.", l.setting, l.address), portCureEnglish, portCureKorean)...)
		default:
			why := app.WhyNotListening(l.setting, l.address, err)
			all = append(all, finding("port", Bad, why.Error(), line.InKorean(why), portCureEnglish, portCureKorean)...)
		}
	}
	return all
}

const (
	portCureEnglish = "See which program it is: ss -lntup"
	portCureKorean  = "어떤 프로그램인지 확인: ss -lntup"
)

func samePort(running string, setting config.Address) bool {
	_, have, err1 := net.SplitHostPort(running)
	_, want, err2 := net.SplitHostPort(string(setting))
	return err1 == nil && err2 == nil && (have == want || want == "0")
}

func checkPublicURL(ctx context.Context, p *Patient) []Finding {
	u := p.Settings.Public()
	if u == nil {
		return finding("public-url", Warning, "No --public-url is set: mails and QR codes carry no links.",
			"--public-url이 없습니다. 메일과 QR 코드에 링크가 들어가지 않습니다.",
			"Set it to the address people open, such as https://factor.example.com.", "사람들이 여는 주소(예: https://factor.example.com)로 정하세요.")
	}
	host := u.Hostname()
	addresses, err := lookUp(ctx, host)
	switch {
	case err != nil:
		return finding("public-url", Bad, fmt.Sprintf("The name %s of --public-url leads nowhere.", host), fmt.Sprintf("--public-url의 이름 %s을(를) 찾을 수 없습니다.", host),
			"Make a DNS entry for it, or correct --public-url.", "DNS에 등록하거나 --public-url을 고치세요.")
	case u.Scheme == "http" && !slices.ContainsFunc(addresses, netip.Addr.IsLoopback) && !slices.ContainsFunc(addresses, netip.Addr.IsPrivate):
		return finding("public-url", Warning, "--public-url is plain http on the internet: passwords can be read on the way.",
			"--public-url이 인터넷에서 암호화되지 않은 http입니다. 비밀번호가 노출될 수 있습니다.", "Use https, for example with --acme-domain "+host+".", "https를 쓰세요. 예: --acme-domain "+host)
	case slices.ContainsFunc(addresses, netip.Addr.IsLoopback):
		return finding("public-url", Warning, "--public-url leads to this machine only: links in mails work for nobody else.",
			"--public-url은 이 컴퓨터에서만 열립니다. 메일의 링크를 다른 사람은 열 수 없습니다.", "", "")
	}
	return good("public-url", fmt.Sprintf("%s leads to %s.", host, join(addresses)), fmt.Sprintf("%s → %s", host, join(addresses)))
}

func lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func join(addresses []netip.Addr) string {
	var list []string
	for _, a := range addresses {
		list = append(list, a.Unmap().String())
	}
	return strings.Join(list, ", ")
}

func checkMail(ctx context.Context, p *Patient) []Finding {
	if p.Settings.SMTP == "" {
		return finding("mail", Warning, "No mail server is set: people join by invitation link, and nobody can reset a password.",
			"메일 서버가 없습니다. 초대 링크로만 가입할 수 있고 비밀번호를 재설정할 수 없습니다.", "Set --smtp and --mail-from.", "--smtp와 --mail-from을 정하세요.")
	}
	sender := &mail.Sender{SMTP: p.Settings.SMTP.Reveal(), From: p.Settings.MailFrom}
	if err := sender.Initialize(); err != nil {
		return finding("mail", Bad, err.Error(), "smtp나 mail-from 설정이 올바르지 않아 메일 서버를 확인하지 못했습니다.",
			"Correct --smtp and --mail-from.", "--smtp와 --mail-from을 고치세요.")
	}
	if err := sender.Check(ctx); err != nil {
		words, korean := err.Error(), err.Error()
		if failed, ok := errors.AsType[*mail.SendError](err); ok {
			words = fmt.Sprintf("%v (%s)", failed, p.Settings.SMTP)
			korean = fmt.Sprintf("%s (%v) (%s)", mailKorean[failed.Step], failed.Err, p.Settings.SMTP)
		}
		return finding("mail", Bad, words, korean, "`factor doctor` tries again; the log-in is tried, no mail is sent.", "`factor doctor`로 다시 확인할 수 있습니다. 로그인만 시도하고 메일은 보내지 않습니다.")
	}
	return good("mail", "The mail server "+sender.Host()+" takes our log-in.", "메일 서버 "+sender.Host()+"에 로그인할 수 있습니다.")
}

// mailKorean says at which step the mail server was lost, and what to look at.
var mailKorean = map[mail.Step]string{
	mail.StepConnect:   "메일 서버에 연결할 수 없습니다. smtp 설정의 호스트와 포트, 방화벽을 확인하세요.",
	mail.StepTLS:       "메일 서버와 안전하게 연결할 수 없습니다. 포트가 smtps://인지 smtp://인지, 인증서가 맞는지 확인하세요.",
	mail.StepGreeting:  "메일 서버의 응답이 아닙니다. smtp 설정의 포트를 확인하세요.",
	mail.StepLogin:     "메일 서버가 smtp 설정의 사용자 이름이나 비밀번호를 거부합니다.",
	mail.StepSender:    "메일 서버가 보내는 사람을 거부합니다. mail-from 설정을 확인하세요.",
	mail.StepRecipient: "메일 서버가 받는 사람을 거부합니다.",
	mail.StepMessage:   "메일 서버가 메일을 거부합니다.",
}

// checkCertificate looks at the certificate that is there, and makes none.
func checkCertificate(_ context.Context, p *Patient) []Finding {
	cert, path, err := certificate(p.Settings)
	if errors.Is(err, errNone) {
		return good("certificate", "There is no certificate yet; the first start makes one.", "인증서가 아직 없습니다. 처음 시작할 때 만듭니다.")
	}
	if err != nil {
		return finding("certificate", Bad, err.Error(), line.InKorean(err), "Give a certificate and its key as PEM files, or leave --tls-cert away.", "인증서와 키를 PEM 파일로 지정하거나 --tls-cert를 빼세요.")
	}
	now, own := p.Now(), p.Settings.TLSCert == ""
	from, until := cert.NotBefore.Local().Format("2006-01-02"), cert.NotAfter.Local().Format("2006-01-02")
	switch {
	case now.Before(cert.NotBefore):
		return finding("certificate", Bad, path+" is not valid before "+from+".", path+"은(는) "+from+"부터 유효합니다.", "Set this machine's clock.", "이 컴퓨터의 시계를 맞추세요.")
	case now.After(cert.NotAfter):
		return finding("certificate", Bad, path+" ended on "+until+".", path+"은(는) "+until+"에 끝났습니다.", cureExpired(own, true), cureExpired(own, false))
	case !own && now.AddDate(0, 0, 14).After(cert.NotAfter):
		return finding("certificate", Warning, path+" ends on "+until+".", path+"은(는) "+until+"에 끝납니다.", "Renew it; the server takes the new file by itself.", "갱신하세요. 서버가 새 파일을 스스로 읽습니다.")
	}
	if u := p.Settings.Public(); u != nil && u.Scheme == "https" && cert.VerifyHostname(u.Hostname()) != nil && len(p.Settings.ACMEDomain) == 0 {
		grade, cureEnglish, cureKorean := Bad, "Get a certificate for that name.", "그 이름의 인증서를 받으세요."
		if own {
			grade, cureEnglish, cureKorean = Warning, "The next start makes it anew.", "다음 시작 때 새로 만듭니다."
		}
		return finding("certificate", grade, fmt.Sprintf("%s is not for %s but for %s.", path, u.Hostname(), strings.Join(certs.CertificateNames(cert), ", ")),
			fmt.Sprintf("%s은(는) %s이(가) 아니라 %s의 인증서입니다.", path, u.Hostname(), strings.Join(certs.CertificateNames(cert), ", ")), cureEnglish, cureKorean)
	}
	return append(good("certificate", path+" is good until "+until+".", path+"은(는) "+until+"까지 유효합니다."), authorityFinding(p.Settings)...)
}

// authorityFinding shows what agents and plugins ask their owner to compare.
func authorityFinding(s *config.Settings) []Finding {
	print, err := authorityFingerprint(s)
	if err != nil {
		return nil // the server makes it at its first start, and says itself when it is damaged
	}
	return good("authority", "The server's own certificate authority has the SHA-256 fingerprint "+print+".",
		"서버의 자체 인증 기관 지문(SHA-256)은 "+print+"입니다.")
}

func cureExpired(own, english bool) string {
	switch {
	case own && english:
		return "Start the server: it makes a new one. If this machine's clock is wrong, set it first."
	case own:
		return "서버를 시작하면 새로 만듭니다. 시계가 틀렸다면 먼저 맞추세요."
	case english:
		return "Renew it; the server takes the new file by itself."
	}
	return "갱신하세요. 서버가 새 파일을 스스로 읽습니다."
}
