# As the official image's: options alone, or a configuration file, are redis-server's.
case "$1" in
-* | *.conf) set -- redis-server "$@" ;;
esac
umask 0077
exec "$@"
