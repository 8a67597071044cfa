"""A small shell: what it does not know raises `tokens.Unsupported`, and is never guessed at.

It is there for the scripts of workloads (the witness, init containers that wait) and for who looks into a container
beside a run. The whole set:

- files: cat ls stat tar test [ touch mkdir rm rmdir chmod chown
- text: echo printf head tail cut tr wc seq od sha256sum
- facts: env printenv date hostname pwd id whoami uname true false :
- the network: nslookup getent wget curl nc redis-cli valkey-cli
- the shell: cd exit return export unset set sleep wait trap read; if while until for ( ) { } && || | & $( ) $(( ))
  < > >> >& <&, and files that stay open: exec 3< 4> 5>>
- programs that stay: nginx redis-server valkey-server nc stress stress-ng pause
"""
