function ksr_request_route()
	KSR.sl.send_reply(200, "OK")
	return 1
end

function ksr_tls_event(event)
	return 1
end
