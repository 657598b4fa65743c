extern int puppet_placeholder; int puppet_placeholder;
