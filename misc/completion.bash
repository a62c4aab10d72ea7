# tls_gnutls - completion of the options of the tools in bash
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause

_tls_gnutls_ciphers()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
		--method)
			COMPREPLY=($(compgen -W "TLSv1 TLSv1+ TLSv1.1 TLSv1.1+ TLSv1.2 TLSv1.2+ TLSv1.3 TLSv1.3+" -- "$word"))
			return
			;;
	esac
	COMPREPLY=($(compgen -W "--method --enforced --help --version" -- "$word"))
}

_tls_gnutls_cert()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
		--dir | --target)
			COMPREPLY=($(compgen -d -- "$word"))
			return
			;;
		--group)
			COMPREPLY=($(compgen -g -- "$word"))
			return
			;;
		--name | --host | --days) return ;;
	esac
	COMPREPLY=($(compgen -W "--dir --name --host --days --rsa --group --overwrite --config --config-only --sample
		--target --help --version" -- "$word"))
}

_tls_gnutls_check()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
		-f | --kamailio | --module)
			COMPREPLY=($(compgen -f -- "$word"))
			return
			;;
		-L | --helpers)
			COMPREPLY=($(compgen -d -- "$word"))
			return
			;;
		-u) COMPREPLY=($(compgen -u -- "$word")); return ;;
		-g) COMPREPLY=($(compgen -g -- "$word")); return ;;
		-A) return ;;
	esac
	COMPREPLY=($(compgen -W "-f -A -L -u -g -v --verbose --json --kamailio --module --helpers --help --version" -- "$word"))
}

complete -F _tls_gnutls_ciphers tls-gnutls-ciphers
complete -F _tls_gnutls_cert tls-gnutls-cert
complete -F _tls_gnutls_check tls-gnutls-check
