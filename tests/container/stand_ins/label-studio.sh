# As the official image's: refuse a volume that cannot be written, then run a command.
if [ ! -w "$LABEL_STUDIO_BASE_DATA_DIR" ]; then
    echo "ERROR: Data directory is not writable: $LABEL_STUDIO_BASE_DATA_DIR" >&2
    exit 1
fi
if [ "$1" = label-studio ]; then
    shift
    set -- python3 -c 'from label_studio.server import main; main()' "$@"
fi
exec "$@"
