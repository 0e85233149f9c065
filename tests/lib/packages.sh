# shellcheck shell=bash
# What every script of the tests needs: progress lines and Debian packages. Sourced.
# All progress is printed as TAP diagnostics, so it can be mixed with results.

say() { printf '# %s\n' "$*"; }

# timed WHAT COMMAND...: runs COMMAND, says so before, and afterwards how long it took. COMMAND runs in
# a subshell under set -e, which would not work in a function called left of && or ||.
timed() {
	local what=$1 start=$SECONDS options=$- status
	shift
	say "$what ..."
	set +e
	(set -e; "$@")
	status=$?
	case $options in *e*) set -e ;; esac
	if [ "$status" -ne 0 ]; then
		say "$what: failed after $((SECONDS - start)) s"
		return "$status"
	fi
	say "$what: $((SECONDS - start)) s"
}

missing_packages() {
	local name
	for name; do
		dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed ||
			printf '%s\n' "$name"
	done
}

install_packages() {
	local apt=(apt-get -qq -o DPkg::Lock::Timeout=600)

	export DEBIAN_FRONTEND=noninteractive
	# The package lists on a fresh machine are absent or stale, so a first failure proves nothing.
	exec 8>/tmp/xen-testbed-apt.lock
	flock 8
	"${apt[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
	"${apt[@]}" update >/dev/null &&
		"${apt[@]}" install -y --no-install-recommends "$@" >/dev/null
}

# need_packages NAME...: installs what dpkg says is missing; does nothing, fast, if nothing is. One at a time: apt
# waits for another one only now and then.
need_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -eq 0 ] && return
	timed "installing ${missing[*]}" install_packages "${missing[@]}"
}
