package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/store"
)

// builtAfter is a time that no right clock shows any more.
var builtAfter = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// checkClock looks whether this machine's clock is plausible: devices and certificates go by it.
func checkClock(ctx context.Context, p *Patient) []Finding {
	now := p.Now()
	shown := now.Format("2006-01-02 15:04:05 -0700")
	cureEnglish, cureKorean := "Have the clock set from the network: timedatectl set-ntp true", "네트워크로 시계를 맞추세요: timedatectl set-ntp true"
	if now.Before(builtAfter) {
		return finding("clock", Bad, "This machine's clock says "+shown+", which is past.", "이 컴퓨터의 시계가 과거("+shown+")를 가리킵니다.", cureEnglish, cureKorean)
	}
	// The database was written before now, unless the clock was set back.
	for _, name := range []string{store.MainFile + "-wal", store.MainFile, store.HistoryFile} {
		if info, err := os.Stat(filepath.Join(p.Settings.Data, name)); err == nil && info.ModTime().After(now.Add(time.Minute)) {
			return finding("clock", Bad, fmt.Sprintf("This machine's clock says %s, but %s was written later than that.", shown, name),
				fmt.Sprintf("시계는 %s인데 %s은(는) 그보다 나중에 쓰였습니다.", shown, name), cureEnglish, cureKorean)
		}
	}
	switch synchronised, err := ntp(ctx); {
	case err != nil:
		return good("clock", "The clock says "+shown+". Whether it is set from the network cannot be told here.", "현재 시각 "+shown+". 네트워크 동기화 여부는 알 수 없습니다.")
	case !synchronised:
		return finding("clock", Warning, "The clock says "+shown+" and is not set from the network.", "현재 시각 "+shown+". 네트워크와 동기화되지 않았습니다.", cureEnglish, cureKorean)
	}
	return good("clock", "The clock says "+shown+" and is set from the network.", "현재 시각 "+shown+". 네트워크와 동기화되어 있습니다.")
}

// ntp asks systemd whether the clock is set from the network. It fails where there is no systemd.
func ntp(ctx context.Context) (bool, error) {
	out, err := exec.CommandContext(ctx, "timedatectl", "show", "--property=NTPSynchronized", "--value").Output()
	if err != nil {
		return false, err
	}
	switch strings.TrimSpace(string(out)) {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, errors.New("timedatectl does not say")
}
