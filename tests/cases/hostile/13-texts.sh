#!/bin/bash
# keys as long as xenstore takes, and with bytes that mean something to others, are refused, and shown so that they do no harm

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
long=$(printf '9%.0s' {1..2048})
for key in multi-queue-num-queues ring-page-order num-ring-pages feature-persistent ring-ref event-channel; do
	printf 'defaults\nkey %s=%s\n' "$key" "$long"
	echo 'refused is "99999999999999999999999999999999...", which is not a number'
	printf 'key %s=%%s%%n%%s%%n\n' "$key"
	echo 'refused is "%s%n%s%n", which is not a number'
	printf 'key %s=\xff\xfe\x9b\x1b[2J\a\n' "$key"
	printf '%s\n' 'refused is "\377\376\233\e[2J\a", which is not a number'
done | attack
{
	printf 'key protocol=%%s%%n\nrefused protocol is "%%s%%n", which\n'
	printf 'key protocol=%s\nrefused protocol is "99999999999999999999999999999999...", which\n' "$long"
	printf 'key protocol=\xff\xfe\x9b\x1b[2J\a\n'
	printf '%s\n' 'refused protocol is "\377\376\233\e[2J\a", which'
	printf 'defaults\nset queues=2\nkey queue-1/event-channel=%s\n' "$long"
	echo 'refused is "99999999999999999999999999999999...", which is not a number'
	printf 'defaults\nset order=1\nkey ring-ref0=%%s\n'
	echo 'refused is "%s", which is not a number'
	printf 'defaults\nset queues=2\nkey queue-1/ring-ref=\xff\xfe\x9b\x1b[2J\a\n'
	printf '%s\n' 'refused is "\377\376\233\e[2J\a", which is not a number'
	for text in "$long" $'\xff\xfe\x9b\e[2J\a' '%s%n'; do
		printf 'defaults\nconnect\nwrite state=%s\nstate 6\nawait 6\nfree\n' "$text"
	done
	# It says what kind of disk it is with its first letter, as the tool stack does; all else is no CD-ROM.
	for type in 1c%s%n "0$long" $'0\xff\xfe\x9b\e[2J\a'; do
		printf 'defaults\nwrite device-type=%s\nconnect\nexpect info=%s\nclose\n' "${type:1}" "${type:0:1}"
	done
	echo 'write device-type'
} | attack
log_since "case $CASE" >"$state/log"
grep -q "not a number" "$state/log" || error "nothing is in the log"
! LC_ALL=C grep -q '[^	 -~]' "$state/log" || fail "bytes of the guest are in the log"
[ "$(wc -L <"$state/log")" -lt 400 ] || fail "lines in the log are as long as the guest likes"
served
