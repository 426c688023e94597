# The virtual environment. Sourced by setup.sh.
# Its names of files are relative and without blanks.
# shellcheck shell=bash disable=SC2086,SC2154

# Prints, for the Python it runs under: a score (2: complete; 1: no libpython,
# which the simulators load), and the Python that environments are made from.
# Fails below 3.11.
probe='
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
import glob, os, sysconfig
version = "%d.%d" % sys.version_info[:2]
names = [sysconfig.get_config_var("INSTSONAME") or "", "libpython%s.so.1.0" % version, "libpython%s.dylib" % version]
dirs = [sysconfig.get_config_var("LIBDIR") or "", os.path.join(sys.base_prefix, "lib"), "/usr/lib64"]
dirs += glob.glob("/usr/lib/*-linux-gnu*")
found = any(n and not n.endswith(".a") and os.path.exists(os.path.join(d, n)) for d in dirs if d for n in names)
print(2 if found else 1, getattr(sys, "_base_executable", None) or sys.executable)
'

# Print the Python to use: the one asked for, else the first complete one, else
# the first that is new enough.
find_python() {
    local candidate answer second=
    for candidate in ${PYTHON:-} python3 "$sysroot/usr/bin/python3" python3.13 python3.12 python3.11 python3.14 python; do
        answer=$("$candidate" -c "$probe" 2>/dev/null) || continue
        if [ "${answer%% *}" = 2 ] || [ "$candidate" = "${PYTHON:-}" ]; then
            echo "${answer#* }"
            return 0
        fi
        second=${second:-${answer#* }}
    done
    [ -n "$second" ] && echo "$second"
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# Set $python, installing Debian's when there is none; note which libpython
# package it needs.
prepare_python() {
    local found
    if ! python=$(find_python); then
        found=$(python3 --version 2>/dev/null || echo "no Python at all")
        say "Python 3.11 or later is needed; there is $found"
        install_packages "python3 python3-venv"
        python=$(find_python) || {
            ask_administrator "python3 python3-venv $(missing_packages)"
            die "nothing can be set up before that; PYTHON=/path/to/python3 names one that is elsewhere"
        }
    fi
    rm -f $libpython
    if [ "$("$python" -c "$probe" | cut -d' ' -f1)" = 1 ]; then
        echo "libpython$(version_of "$python")" >$libpython
    fi
    if [ ! -e $venv/pyvenv.cfg ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian packages these apart.
        case $python in /usr/bin/*) install_packages "python$(version_of "$python")-venv" ;; esac
    fi
}

# Remove a virtual environment that was left half-made, has lost its Python, or
# was made elsewhere. One that somebody made by hand is kept and added to.
discard_broken_venv() {
    local why=
    [ -e $venv ] || return 0
    if [ -e $unfinished ] || [ ! -e $venv/pyvenv.cfg ]; then
        why="was left half-made"
    elif ! $venv/bin/python -c "$probe" >/dev/null 2>&1; then
        why="has no working Python of 3.11 or later"
    elif [ -r $stamp ] && ! grep -qF "$(pwd -P)/$venv/bin/python" $venv/bin/pip; then
        why="was made in another place"
    else
        return 0
    fi
    [ -e $venv/bin ] && say "$venv $why; making it anew"
    rm -rf $venv || die "cannot remove $(pwd -P)/$venv"
}

# Make an empty virtual environment with pip, one way or another.
create_venv() {
    say "making $venv with $python ($(version_of "$python"))"
    "$python" -m venv $venv >>$log_dir/venv.log 2>&1 && return 0
    # Without ensurepip, but with some pip or virtualenv, it can still be made.
    if "$python" -m venv --without-pip $venv >>$log_dir/venv.log 2>&1 &&
        "$python" -m pip --python $venv/bin/python install -q pip >>$log_dir/venv.log 2>&1; then
        return 0
    fi
    "$python" -m virtualenv -q $venv >>$log_dir/venv.log 2>&1 && return 0
    say "$python cannot make a virtual environment; it said: $(grep -v '^ *$' $log_dir/venv.log | head -n 1)"
    ask_administrator "python$(version_of "$python")-venv $(missing_packages)"
    die "nothing can be set up before that"
}

pip_install() {
    local pid status
    $venv/bin/python -m pip install --disable-pip-version-check --no-compile --progress-bar off "$@" \
        >>$log_dir/pip.log 2>&1 </dev/null &
    pid=$!
    # An interrupt does not reach what runs in the background.
    trap 'kill $pid 2>/dev/null; exit 130' INT TERM
    watch_over $pid $log_dir/pip.log "Python packages"
    status=$?
    trap - INT TERM
    return $status
}

make_venv() {
    local extras
    # A complete environment stays one when `make demo` refreshes it.
    [ -r $stamp ] && [ "$(cut -d' ' -f1 $stamp)" = dev ] && level=dev
    [ "$level" = dev ] && extras=tools,wasm,formal,isa,nn,sweep,dev || extras=tools
    [ -e $venv/pyvenv.cfg ] || create_venv
    rm -f $stamp
    : >$log_dir/pip.log
    say "installing Python packages ($extras)"
    if ! install_python_packages "$extras"; then
        say "pip failed; the end of $log_dir/pip.log:"
        grep -v '^ *$' $log_dir/pip.log | tail -n 8 >&2
        die "can this machine reach a package index? pip's own settings apply"
    fi
    $venv/bin/python -m compileall -q -j 2 $venv/lib >$log_dir/compile.log 2>&1 </dev/null
    rm -f $unfinished
    echo "$level $(key)" >$stamp.new && mv $stamp.new $stamp
}

# The build backend comes from the lock as well, so nothing is built in isolation.
install_python_packages() {
    local pins=(-c "$lock")
    pip_install "${pins[@]}" 'setuptools>=68' &&
        pip_install "${pins[@]}" --no-build-isolation -e ".[$1]" && return 0
    grep -q 'No matching distribution\|ResolutionImpossible' $log_dir/pip.log || return 1
    say "the locked versions do not all fit this Python; taking what pyproject.toml allows"
    pip_install 'setuptools>=68' && pip_install --no-build-isolation -e ".[$1]"
}
