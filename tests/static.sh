#!/bin/bash
# What can be said about the sources without running them. Prints TAP; honours CASE.
set -euo pipefail

cd "$(dirname "$0")/.."
out=$PWD/build/static

# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

# tree_files TEST...: files of the tree for which find's TESTs hold; nothing that a build made.
tree_files() {
	find . \( -name .git -o -path ./build \) -prune -o \
		-type f ! -name '*.mod.c' \( "$@" \) -print | sort
}

driver_sources() {
	tree_files -name '*.[ch]' ! -path './tests/*'
}

# with_first_line REGEX: files whose first line is like that.
with_first_line() {
	# shellcheck disable=SC2016 # these are awk's
	tree_files -type f | xargs awk -v "regex=$1" 'FNR == 1 && $0 ~ regex { print FILENAME } { nextfile }'
}

scripts() {
	{ tree_files -name '*.sh'; with_first_line '^#!.*[/ ](ba|da)?sh( |$)'; } | sort -u
}

# build_copy NAME ARGUMENT...: makes the module, from a copy, in a folder of its own.
build_copy() {
	local copy=$out/$1 file
	shift
	rm -rf "$copy"
	while read -r file; do
		install -D -m 644 "$file" "$copy/$file" || return
	done < <(driver_sources; tree_files -name Makefile -o -name Kbuild)
	make -j"$(nproc)" -C "$copy" "$@" 2>&1
}

# Compiles everything a second time rather than rely on what the main build may have kept.
no_warning() {
	local said
	said=$(build_copy w1 W=1) || { echo "$said"; return 1; }
	[ -e "$out/w1/xen-blkback.ko" ] || { echo 'there is no module'; return 1; }
	! grep -i 'warning:' <<<"$said"
}

# Headers of the kernel have complaints of their own: only paths in the copy count.
no_sparse() {
	local said
	said=$(build_copy sparse C=2 CF=-D__CHECK_ENDIAN__) || { echo "$said"; return 1; }
	[ "$(grep -c '^ *CHECK ' <<<"$said")" -gt 0 ] || { echo 'sparse did not run'; return 1; }
	! grep -E "^($out/sparse/)?(compat/)?[^/ ]+\.[ch]:[0-9]+:" <<<"$said"
}

# The kernel's script, without the kernel: it is content with an empty folder of headers. Unpacked
# once, as that takes a while.
get_checkpatch() {
	local dir=build/checkpatch tar=/usr/src/linux-source-6.1.tar.xz
	[ -e "$dir" ] && return
	rm -rf "$dir.new"
	mkdir -p "$dir.new/include"
	tar -xf "$tar" -C "$dir.new" --strip-components=2 --occurrence=1 \
		linux-source-6.1/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} &&
		mv "$dir.new" "$dir"
}

# It leaves a file behind where it is started, so that is in the build folder. Not looked at are:
#  CAMELCASE		Xen's and cmocka's names have it; in the kernel's tree the former would be known
#  MACRO_ARG_REUSE	takes the name of a struct's member for an expression that must not be repeated
checkpatch() (
	cd build/checkpatch
	perl checkpatch.pl --no-tree --root=. --strict --terse --no-summary \
		--ignore CAMELCASE,MACRO_ARG_REUSE -f "../../${1#./}"
)

no_checkpatch() {
	local file bad=0
	get_checkpatch || return
	while read -r file; do
		checkpatch "$file" || bad=1
	done < <(tree_files -name '*.[ch]')
	return "$bad"
}

no_shellcheck() {
	local files
	mapfile -t files < <(scripts)
	shellcheck -x "${files[@]}"
}

no_python_complaint() {
	local files
	mapfile -t files < <(with_first_line '^#!.*python3$')
	[ ${#files[@]} -gt 3 ] || { echo "only these are found: ${files[*]}"; return 1; }
	pyflakes3 "${files[@]}" && pycodestyle --max-line-length=120 "${files[@]}"
}

no_manual_complaint() {
	mandoc -T lint tools/*.8
}

# The compile probes of compat/ are for the compiler, not for people.
documented_sources() {
	driver_sources | grep -v '^./compat/probes/'
}

no_kernel_doc() {
	local files kernel_doc
	mapfile -t files < <(documented_sources)
	kernel_doc=$(compgen -G '/usr/lib/linux-kbuild-*/scripts/kernel-doc' | tail -n 1)
	"$kernel_doc" -none -Werror "${files[@]}"
}

# Prints each function that is not static and each struct of a file that has no kernel-doc.
undocumented() {
	perl -0777 -ne '
		my %known = map { $_ => 1 } m{/\*\*\n \* (?:struct )?(\w+)(?:\(\))? - }g;
		while (m{^(?:struct (\w+) \{|(?!static\b)[a-z][\w\s*]*?\b(\w+)\([^;{}]*\)\s*\n\{)}mg) {
			my $name = $1 // $2;
			print "$ARGV: $name\n" unless $known{$name};
		}' "$@"
}

all_documented() {
	local files missing
	mapfile -t files < <(documented_sources)
	missing=$(undocumented "${files[@]}") || return
	[ -z "$missing" ] || { echo "$missing"; return 1; }
}

# A guest must not be able to stop the host, and what a kernel has is for probes to find out.
no_bug_on() {
	local files
	mapfile -t files < <(driver_sources)
	! grep -nE '\<BUG(_ON)?\>' "${files[@]}"
}

no_version_test() {
	local files
	mapfile -t files < <(driver_sources | grep -v '^./compat/')
	! grep -nE '\<(LINUX_VERSION_CODE|KERNEL_VERSION)\>' "${files[@]}"
}

# Written so that this line is not one of them.
no_loose_end() {
	local files
	mapfile -t files < <(tree_files -type f)
	! grep -nIE '\<(TO[D]O|FI[X]ME)\>' "${files[@]}"
}

# The keys that the driver reads and writes; they are all literals that consist of nothing else. In settings.c
# there are such literals that are no keys.
keys_of_driver() {
	grep -ohE '"[a-z][a-z0-9-]{2,}"' negotiate.c xenstore.c
	grep -oE '(\.key = |(dir|nodename), )"[a-z-]+"' settings.c | grep -oE '"[a-z-]+"'
	grep -oE 'read_level\([^"]*"[a-z-]+"' xenbus.c | grep -oE '"[a-z-]+"'
}

# A key is explained where it stands in the first column of a table.
no_key_unexplained() {
	local keys key bad=0
	keys=$(keys_of_driver | tr -d '"' | sort -u)
	[ "$(wc -l <<<"$keys")" -gt 20 ] || { echo 'the keys are not found in the sources'; return 1; }
	for key in $keys; do
		grep -qE "^\| [^|]*\`$key\`" docs/protocol.md || { echo "$key"; bad=1; }
	done
	return "$bad"
}

# proofs_of_features: feature and proof, from the rows of the table in README.md.
proofs_of_features() {
	awk -F'|' '/^## / { features = ($0 == "## Features") }
		features && /^\|/ && ++row > 2 { print $2 "|" $4 }' README.md
}

# says FILE: what a case proves, by its title and by what passes; serving a kind of disk passes, too.
says() {
	sed -n '2s/^# //p' "$1"
	sed -nE 's/^\s*(pass|serve) "([^"]*)".*/\2/p' "$1"
}

# proven PROOF: there is a unit test of that name, or a case 'NAME' or 'NAME: WORDS' that says these words.
proven() {
	local file=tests/cases/${1%%: *}.sh
	case $1 in
	unit/*) grep -qE "(cmocka_unit_test\(|^    def test_)${1#unit/}[()]" tests/unit/test_*.{c,py} ;;
	*": "*) [ -e "$file" ] && [[ $(says "$file") == *"${1#*: }"* ]] ;;
	*) [ -e "$file" ] ;;
	esac
}

no_feature_unproven() {
	local feature proof name bad=0 rows=0
	while IFS='|' read -r feature proof; do
		rows=$((rows + 1))
		[[ $proof == *\`*\`* ]] || { echo "nothing proves: $feature"; bad=1; }
		while read -r name; do
			proven "$name" || { echo "there is no $name, which is to prove: $feature"; bad=1; }
		done < <(awk -F'`' '{ for (i = 2; i < NF; i += 2) print $i }' <<<"$proof")
	done < <(proofs_of_features)
	[ "$rows" -gt 10 ] || { echo "only $rows features are found in README.md"; bad=1; }
	return "$bad"
}

# Or a mistake of the one would be one of the other, too.
nothing_shared() { ! grep -nE '#include .*\.\./' tests/frontend/*.[ch] | grep -v '"\.\./\.\./blkif\.h"'; }

need_packages gcc make linux-headers-amd64 linux-source-6.1 mandoc perl pycodestyle pyflakes3 shellcheck sparse xz-utils
tap static/module_builds_with_no_warning no_warning
tap static/sparse_has_no_complaint no_sparse
tap static/checkpatch_has_no_complaint no_checkpatch
tap static/shellcheck_has_no_complaint no_shellcheck
tap static/python_checkers_have_no_complaint no_python_complaint
tap static/manuals_have_no_complaint no_manual_complaint
tap static/kernel_doc_has_no_complaint no_kernel_doc
tap static/all_but_static_functions_are_documented all_documented
tap static/driver_never_stops_the_host no_bug_on
tap static/driver_asks_for_no_version no_version_test
tap static/all_keys_are_explained no_key_unexplained
tap static/all_features_are_proven no_feature_unproven
tap static/test_frontend_shares_only_blkif_h nothing_shared
tap static/tree_has_no_loose_end no_loose_end
tap_end
