/**
 * Korean particles depend on the sound before them, which a message cannot know when a name is filled in. Messages
 * write both forms, "{name}을(를)", and this leaves the one that fits.
 */

const pairs: [both: RegExp, closed: string, open: string][] = [
	[/을\(를\)/g, '을', '를'],
	[/이\(가\)/g, '이', '가'],
	[/은\(는\)/g, '은', '는'],
	[/과\(와\)/g, '과', '와'],
	[/이\(라\)/g, '이라', '라'],
	[/\(으\)로/g, '으로', '로']
];

type Ending = 'open' | 'closed' | 'rieul';

// How the last sign is read aloud: 영 일 이 삼 사 오 육 칠 팔 구.
const digits: Ending[] = ['closed', 'rieul', 'open', 'closed', 'open', 'open', 'closed', 'rieul', 'rieul', 'open'];

/** How the sound of the last letter or digit of `word` ends; signs after it are passed over. */
export function endingOf(word: string): Ending {
	const last = [...word].reverse().find((sign) => /[\p{L}\p{N}]/u.test(sign));
	if (last === undefined) return 'open';
	const code = last.codePointAt(0) ?? 0;
	if (code >= 0xac00 && code <= 0xd7a3) {
		const coda = (code - 0xac00) % 28;
		return coda === 0 ? 'open' : coda === 8 ? 'rieul' : 'closed';
	}
	if (last >= '0' && last <= '9') return digits[Number(last)] ?? 'open';
	const letter = last.toLowerCase();
	// Latin words as Koreans read them: only the endings that carry a final consonant for certain.
	if (letter === 'l') return 'rieul';
	if (letter === 'm' || letter === 'n' || /ng\P{L}*$/iu.test(word)) return 'closed';
	// A capital R on its own or in a model name is read 알.
	return last === 'R' ? 'rieul' : 'open';
}

export function fitParticles(text: string): string {
	let fitted = text;
	for (const [both, closed, open] of pairs) {
		fitted = fitted.replace(both, (_, at: number) => {
			const ending = endingOf(fitted.slice(Math.max(0, at - 24), at));
			// 로 follows an ㄹ as it follows a vowel.
			if (open === '로' && ending === 'rieul') return open;
			return ending === 'open' ? open : closed;
		});
	}
	return fitted;
}
