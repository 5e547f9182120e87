# What the scripts that show something have in common.  To be sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH="$root/.venv/bin:$PATH"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') green=$(printf '\033[32m') plain=$(printf '\033[0m')
else
    bold='' dim='' green='' plain=''
fi

say() { printf '\n%s# %s%s\n' "$dim" "$*" "$plain"; }

# Show a command line, then run it
run() {
    printf '%s$%s %s%s%s\n' "$green" "$plain" "$bold" "$1" "$plain"
    eval "$1"
}

# The same, with the time of the whole process
timed() {
    printf '%s$%s %stime %s%s\n' "$green" "$plain" "$bold" "$1" "$plain"
    TIMEFORMAT="${bold}%R s${plain}"
    time eval "$1"
}
