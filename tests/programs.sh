# Find the named programs, which pip cannot install, or install the system's; where neither works, say what to do.
lacking=
for program in "$@"; do
  case $program in
    chromium)
      command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
        lacking="$lacking chromium" ;;
    litmus)
      command -v litmus >/dev/null || lacking="$lacking litmus" ;;
    evolution)
      { command -v dbus-run-session >/dev/null && /usr/bin/python3 -c 'import gi; gi.require_version("ECal", "2.0")' 2>/dev/null &&
        [ -e /usr/share/dbus-1/services/org.gnome.evolution.dataserver.Calendar8.service ]; } ||
        lacking="$lacking evolution-data-server gir1.2-ecal-2.0 python3-gi dbus-daemon" ;;
    thunderbird)
      command -v thunderbird >/dev/null || lacking="$lacking thunderbird" ;;
    *)
      echo "no such program: $program" >&2
      exit 2 ;;
  esac
done
[ -z "$lacking" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests:$lacking"
  # shellcheck disable=SC2086
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking >/dev/null && exit 0
fi
echo "the tests need your system's packages:$lacking; install them and run again" >&2
exit 1
