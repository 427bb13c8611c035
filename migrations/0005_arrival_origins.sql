-- Which way each repeat came: a tunnel may be another one than the delivery itself came by, and its URL may have changed.
ALTER TABLE arrivals ADD COLUMN public_url TEXT; -- as the sender saw it; null: not known, or stored before this was kept
ALTER TABLE arrivals ADD COLUMN tunnel INTEGER;  -- tunnels.row; null: by none that Creel had started
